#!/usr/bin/env perl
# Sends back what one sysread() brings.
use strict;
use warnings;
use Encode qw(decode encode);
use IO::Select;
use Socket qw(:all);

$| = 1;
$SIG{PIPE} = 'IGNORE';
my $usage = "usage: server [PORT [ADDRESS]]\n";

sub fail {
    my ($what, $why) = (as_text($_[0]), $_[1]);
    print STDERR "server: $what: $why\n";
    exit 1;
}

sub as_text {
    my $text = decode('UTF-8', $_[0], Encode::FB_DEFAULT);
    $text =~ s/[\x{0}-\x{8}\x{a}-\x{1f}\x{7f}-\x{9f}\x{fffd}]/?/g;
    return encode('UTF-8', $text);
}

sub show_address {
    my ($failed, $host, $port) = getnameinfo($_[0], NI_NUMERICHOST | NI_NUMERICSERV);
    return $host =~ /:/ ? "[$host]:$port" : "$host:$port";
}

if (grep { $_ eq '-h' || $_ eq '--help' } @ARGV) {
    print $usage;
    exit 0;
}
my $port = $ARGV[0] // '9999';
my $host = $ARGV[1] // '127.0.0.1';
if (@ARGV > 2 || grep({ /\A-/ } @ARGV) || $port !~ /\A[0-9]{1,5}\z/ || $port > 65535) {
    print STDERR "server: wrong arguments\n$usage";
    exit 2;
}
my ($failed, @found) =
    getaddrinfo($host, $port, {flags => AI_PASSIVE, socktype => SOCK_STREAM});
fail("$host:$port", $failed) if $failed;
my $address = $found[0];
socket(my $listener, $address->{family}, SOCK_STREAM, 0) or fail('socket', $!);
setsockopt($listener, SOL_SOCKET, SO_REUSEADDR, 1);
bind($listener, $address->{addr}) && listen($listener, 16)
    or fail($host =~ /:/ ? "[$host]:$port" : "$host:$port", $!);
print 'listening on ', show_address(getsockname($listener)), "\n";

accept(my $client, $listener) or fail('accept', $!);
close $listener;
my $got = sysread($client, my $bytes, 1024);
fail('recv', $!) unless defined $got;
if ($got == 0) {
    print "client closed without sending\n";
} else {
    (my $shown = $bytes) =~ s/\r?\n\z//;
    $shown = as_text($shown);
    print "recv >>>>>>>> $shown\n";
    for (my $sent = 0; $sent < $got;) {
        my $more = syswrite($client, $bytes, $got - $sent, $sent);
        fail('send', $!) unless defined $more;
        $sent += $more;
    }
    print "send >>>>>>>> $shown\n";
}
shutdown($client, SHUT_WR);
my $until = time + 2;
while (time < $until && IO::Select->new($client)->can_read(1)) {
    last unless sysread($client, my $waste, 65536);
}
