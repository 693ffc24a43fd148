package main

import (
	"flag"
	"fmt"
	"net"
	"os"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "rewrite the expected output in the scripts")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"waxwing": main})
}

// Every file under testdata/script is a story about the command, told in the commands of testscript and these:
//
//	ports NAME…              sets variables to free TCP ports
//	await URL                waits until a GET of the URL succeeds
//	until TEXT URL           waits until the answer to a GET of the URL has a text
//	refuses URL              waits until nobody answers at the URL
//	http METHOD URL [BODY]   makes a plain request and prints the answer
//	aws SERVICE METHOD PATH [BODY]   makes a request signed with the variables that `waxwing dev` exports, and prints the answer
//	send FILE                sends the message in a file from the seeded number, as SendWhatsAppMessage
//	export FILE              sets the variables that a file exports
//	sink NAME                starts an HTTP subscriber that confirms subscriptions, and sets a variable to its URL
//	received NAME [TEXT…]    waits until the subscriber is confirmed and has got notifications with these texts, one for each
//	sqlite FILE STATEMENT    changes a database
//	sigterm                  sends SIGTERM to what was last started in the background
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:           "testdata/script",
		UpdateScripts: *update,
		Setup: func(env *testscript.Env) error {
			env.Setenv("HOME", env.WorkDir+"/home")
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"ports": cmdPorts, "await": cmdAwait, "until": cmdUntil, "refuses": cmdRefuses, "http": cmdHTTP, "aws": cmdAWS, "send": cmdSend, "export": cmdExport, "sink": cmdSink,
			"received": cmdReceived, "sqlite": cmdSQLite, "sigterm": cmdSIGTERM,
		},
	})
}

func cmdPorts(ts *testscript.TestScript, neg bool, args []string) {
	refuseNeg(ts, neg)
	for _, name := range args {
		// All listeners stay open until every port is known, so that no two are the same.
		l, err := net.Listen("tcp", "127.0.0.1:0")
		ts.Check(err)
		defer l.Close()
		ts.Setenv(name, fmt.Sprint(l.Addr().(*net.TCPAddr).Port))
	}
}

func cmdExport(ts *testscript.TestScript, neg bool, args []string) {
	refuseNeg(ts, neg)
	wantArgs(ts, args, 1, 1)
	for _, pair := range exports(ts.ReadFile(args[0])) {
		ts.Setenv(pair[0], pair[1])
	}
}

func cmdSIGTERM(ts *testscript.TestScript, neg bool, _ []string) {
	refuseNeg(ts, neg)
	running := ts.BackgroundCmds()
	if len(running) == 0 {
		ts.Fatalf("nothing runs in the background")
	}
	ts.Check(running[len(running)-1].Process.Signal(syscall.SIGTERM))
}

func refuseNeg(ts *testscript.TestScript, neg bool) {
	if neg {
		ts.Fatalf("this command cannot be negated")
	}
}

func wantArgs(ts *testscript.TestScript, args []string, least, most int) {
	if len(args) < least || len(args) > most {
		ts.Fatalf("got %d arguments, want %d to %d", len(args), least, most)
	}
}

func TestExitStatusOfMain(t *testing.T) {
	t.Parallel()
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	for _, tc := range []struct {
		args []string
		want int
	}{
		{[]string{"version"}, 0}, {[]string{"help"}, 0}, {[]string{"dev", "--help"}, 0}, {nil, 2}, {[]string{"nonsense"}, 2},
		{[]string{"config"}, 2}, {[]string{"config", "check", "--set", "region=x"}, 1}, {[]string{"serve", "--config", "/does/not/exist"}, 1},
	} {
		if got := run(tc.args, null, null); got != tc.want {
			t.Errorf("waxwing %v: exit status %d, want %d", tc.args, got, tc.want)
		}
	}
}

func TestQuote(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"http://127.0.0.1:7766": "http://127.0.0.1:7766", "": "''", "a b": "'a b'", "$(x)": "'$(x)'", "it's": `'it'\''s'`,
		"abc+/=": "abc+/=",
	} {
		if got := quote(in); got != want {
			t.Errorf("quote(%q) = %s, want %s", in, got, want)
		}
	}
}
