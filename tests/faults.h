/*
 * faults.h - the calls that tests/faults.c takes over.
 *
 * FAULTS=1 builds with `-include tests/faults.h`. There is no #include here:
 * the names are changed in the system's own headers too, so that programs
 * still have to include what they use.
 */
#define accept faults_accept
#define close faults_close
#define connect faults_connect
#define dup faults_dup
#define exit faults_exit
#define fputs faults_fputs
#define fwrite faults_fwrite
#define poll faults_poll
#define printf faults_printf
#define pthread_cond_wait faults_pthread_cond_wait
#define pthread_create faults_pthread_create
#define pthread_mutex_lock faults_pthread_mutex_lock
#define pthread_mutex_unlock faults_pthread_mutex_unlock
#define putchar faults_putchar
#define read faults_read
#define readv faults_readv
#define recv faults_recv
#define recvfrom faults_recvfrom
#define recvmsg faults_recvmsg
#define select faults_select
#define send faults_send
#define sendmsg faults_sendmsg
#define sendto faults_sendto
#define socket faults_socket
#define tcsetattr faults_tcsetattr
#define write faults_write
#define writev faults_writev
