#!/usr/bin/env bats
# make step-NN-K, and make check-NN STEP=K.

load house

@test "make step-NN lists the steps, and says when there is no such step" {
    run make -s step-03
    [ "$status" -eq 0 ]
    [[ ${lines[1]} == *"make step-03-1 "* ]]
    run make -s step-03-99
    [ "$status" -ne 0 ]
    [ "${lines[0]}" = 'There is no step 99.' ]
    run make -s step-77-1
    [ "$status" -ne 0 ]
}

@test "make step-NN-K shows the patch and makes the step where nothing is lost" {
    run make -s step-03-1 # nothing is there
    [ "$status" -eq 0 ]
    [[ $output == *"+++ server.c"* ]]
    [[ $output == *"STEP=1"* ]]
    cp work/03-echo-loop/server.c first
    make -s step-03-2 >said # the step before is there
    no cmp -s first work/03-echo-loop/server.c
    make -s step-03-2 | grep -q 'is at this step already'
    make -s step-03-1 >said # and back
    cmp first work/03-echo-loop/server.c
    rm -r work/03-echo-loop
    make -s start-03 >said
    make -s step-03-1 >said # untouched starting files
    cmp first work/03-echo-loop/server.c
}

@test "the last step is the lesson" {
    make -s step-03-"$(sh tests/kit/step count 03-echo-loop)" >said
    cmp lessons/03-echo-loop/server.c work/03-echo-loop/server.c
    cmp lessons/03-echo-loop/client.c work/03-echo-loop/client.c
}

@test "make step-NN-K leaves a learner's own work alone" {
    make -s step-03-1 >said
    echo '/* mine */' >>work/03-echo-loop/server.c
    cp work/03-echo-loop/server.c mine
    run make -s step-03-2
    [ "$status" -ne 0 ]
    [[ $output == *"work of your own"*"mv work/03-echo-loop work/my-03"* ]]
    cmp mine work/03-echo-loop/server.c
    make -s step-03-1 >said || :
    cmp mine work/03-echo-loop/server.c
}

@test "make check-NN STEP=K runs what should pass by then, and names the rest" {
    echo '03 server: says hello' >lessons/03-echo-loop/steps/1.checks
    echo '03 server: ends' >lessons/03-echo-loop/steps/2.checks
    says_hello work/03-echo-loop server
    run make -s check-03 STEP=1
    echo "$output"
    [[ $output == *"says hello"* ]]
    no grep -q -e 'passes *ends' -e 'FAILS *ends' <<<"$output"
    [[ $output == *"wait for later steps"*"Step 2: "*"03 server: ends"* ]]
    run make -s check-03 STEP=1 ONLY=ends
    [ "$status" -ne 0 ]
    [[ $output == *"'ends'"*"belong to a step after 1."* ]]
    run make -s check-03 STEP=77
    [ "$status" -ne 0 ]
    [[ $output == *"make step-03 lists them"* ]]
    run make -s check-01 STEP=1
    [ "$status" -ne 0 ]
}
