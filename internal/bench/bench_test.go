package bench

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// A measurement starts a node as `waxwing bench node`; here this test binary is that program.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "bench" {
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
		status := Main(ctx, os.Args[2:], os.Stdout, os.Stderr)
		stop()
		os.Exit(status)
	}
	os.Exit(m.Run())
}

func measure(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	status = Main(t.Context(), args, &out, &errs)
	return status, out.String(), errs.String()
}

func TestCommandLine(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		args   string
		status int
		stdout string
		stderr string
	}{
		{"", 2, "", "pipeline"},
		{"--help", 0, "pipeline", ""},
		{"help", 0, "pipeline", ""},
		{"help send", 0, "--connections count", ""},
		{"send -h", 0, "(default 10s)", ""},
		{"race", 2, "", `unknown measurement "race"`},
		{"send --nonsense", 2, "", "--nonsense"},
		{"send now", 2, "", `unexpected argument "now"`},
		{"send --connections 0", 2, "", "--connections must be from 1"},
		{"send --duration 0s", 2, "", "--duration must be positive"},
		{"send --rate -1", 2, "", "--rate must not be negative"},
		{"send --size 5000", 2, "", "--size must be"},
		{"send --size 5 --message {}", 2, "", "exclude each other"},
		{"send --endpoint http://127.0.0.1:1 --set log.level=info", 2, "", "--endpoint names another"},
		{"send --endpoint nowhere", 2, "", "not a URL"},
		{"send --endpoint http://127.0.0.1:1 --message []", 2, "", "not a JSON object"},
		{"send --endpoint http://127.0.0.1:1 --duration 1ms", 1, "", "first message was not accepted"},
		{"send --set nonsense=1", 1, "", "nonsense: unknown setting"},
		{"pipeline --numbers 0", 2, "", "--numbers must be from 1"},
		{"pipeline --connections 0", 2, "", "--connections must be from 1"},
		{"pipeline --patience 0s", 2, "", "must be positive"},
		{"pipeline --rate -1", 2, "", "--rate must not be negative"},
		{"ingest --numbers 0", 2, "", "--numbers must be from 1"},
		{"ingest --connections 0", 2, "", "--connections must be from 1"},
		{"ingest --batch 1001", 2, "", "--batch must be from 1"},
		{"ingest --callbacks 0", 2, "", "--callbacks must be at least 1"},
		{"ingest --callbacks 1000000 --batch 100", 2, "", "no more than 10,000,000 updates"},
		{"ingest --rate -1", 2, "", "--rate must not be negative"},
		{"ingest --patience 0s", 2, "", "--patience must be positive"},
		{"help ingest", 0, "--subscribe", ""},
		{"node --sent -1", 2, "", "--sent must be from 0"},
		{"start --runs 0", 2, "", "--runs must be from 1"},
		{"node --numbers -1", 2, "", "--numbers must be from 0"},
		{"node --dir /does/not/exist", 1, "", "/does/not/exist"},
	} {
		t.Run(tc.args, func(t *testing.T) {
			t.Parallel()
			status, stdout, stderr := measure(t, strings.Fields(tc.args)...)
			if status != tc.status || !strings.Contains(stdout, tc.stdout) || !strings.Contains(stderr, tc.stderr) || tc.stdout == "" && stdout != "" {
				t.Errorf("status %d, stdout %q, stderr %q, want %d, %q, %q", status, stdout, stderr, tc.status, tc.stdout, tc.stderr)
			}
			if strings.Contains(stderr, "goroutine") {
				t.Errorf("a stack trace: %s", stderr)
			}
		})
	}
}

func TestCredentialsOfTheEnvironment(t *testing.T) {
	t.Parallel()
	env := map[string]string{"AWS_ENDPOINT_URL": "http://a", "AWS_DEFAULT_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "s"}
	o := sendOptions{connections: 1, duration: 1}
	if err := o.check(func(name string) string { return env[name] }); err != nil || o.target != (Target{"http://a", "eu-west-1", "AKIA", "s"}) {
		t.Errorf("target %+v, %v", o.target, err)
	}
	env["AWS_REGION"], env["AWS_SECRET_ACCESS_KEY"] = "us-west-2", ""
	o.target = Target{Endpoint: "http://b"}
	if err := o.check(func(name string) string { return env[name] }); err == nil || o.target.Endpoint != "http://b" || o.target.Region != "us-west-2" {
		t.Errorf("target %+v, %v", o.target, err)
	}
}

// The measurements themselves, for a moment: they work, and print figures that are not zero.
func TestMeasurements(t *testing.T) {
	t.Parallel()
	t.Run("send", func(t *testing.T) {
		t.Parallel()
		o := sendOptions{phone: phoneNumberID(1), connections: 8, duration: 200e6, baseline: true}
		node := child(t)
		o.target.Endpoint = node.Env[envEndpoint]
		var out bytes.Buffer
		if err := o.run(t.Context(), &out); err != nil {
			t.Fatal(err)
		}
		wantFigures(t, out.String(), `accepted +[1-9]\d*/s  p50 +\S+ms  p99 +\S+ms  max +\S+ms  [1-9]`, `baseline +[1-9]\d*/s`, `ratio +\d+\.\d\d`)
		if strings.Contains(out.String(), "errors") {
			t.Errorf("some were refused:\n%s", &out)
		}
	})
	t.Run("send counts refusals", func(t *testing.T) {
		t.Parallel()
		o := sendOptions{phone: phoneNumberID(1), connections: 4, duration: 100e6, rate: 200}
		node := child(t, "--set", "limits.SendWhatsAppMessage=3")
		o.target.Endpoint = node.Env[envEndpoint]
		var out bytes.Buffer
		if err := o.run(t.Context(), &out); err != nil {
			t.Fatal(err)
		}
		wantFigures(t, out.String(), `accepted +[1-9]\d*/s`, `errors +[1-9]\d* +ThrottledRequestException`)
	})
	t.Run("pipeline", func(t *testing.T) {
		t.Parallel()
		status, stdout, stderr := measure(t, "pipeline", "--numbers", "2", "--connections", "4", "--duration", "200ms", "--rate", "100")
		if status != 0 {
			t.Fatalf("status %d: %s%s", status, stdout, stderr)
		}
		legs := `p50 +\S+ms  p99 +\S+ms  max +\S+ms  20`
		wantFigures(t, stdout, `accepted +[1-9]\d*/s`, `handed +`+legs, `sent +`+legs, `delivered +`+legs, `sustained +[1-9]\d*/s  lost 0`, `processor +[\d.]+ms a message`)
	})
	t.Run("ingest", func(t *testing.T) {
		t.Parallel()
		status, stdout, stderr := measure(t, "ingest", "--numbers", "2", "--connections", "4", "--callbacks", "40", "--batch", "3", "--rate", "600", "--subscribe")
		if status != 0 {
			t.Fatalf("status %d: %s%s", status, stdout, stderr)
		}
		wantFigures(t, stdout, `answered +[1-9]\d*/s  p50 +\S+ms  p99 +\S+ms  max +\S+ms  40`, `on disk +[1-9]\d* updates/s`, `applied +[1-9]\d* updates/s`,
			`delivered +p50 +\S+ms  p99 +\S+ms  max +\S+ms  120, repeated \d`, `lost +0`, `processor +\d+µs an update`)
	})
	t.Run("start", func(t *testing.T) {
		t.Parallel()
		self, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if err := measureStart(t.Context(), 2, 0, &out, self, "bench", "node"); err != nil {
			t.Fatal(err)
		}
		wantFigures(t, out.String(), `ready in +\d+\S*ms  \(median of 2`)
	})
	t.Run("a node that cannot start", func(t *testing.T) {
		t.Parallel()
		if _, err := new(ownNode).start(t.Context(), "--set", "region=x"); err == nil || !strings.Contains(err.Error(), "region") {
			t.Errorf("got %v", err)
		}
	})
}

func child(t *testing.T, args ...string) *Process {
	t.Helper()
	p, err := new(ownNode).start(context.Background(), args...) // the test's context ends before its clean-ups
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Stop(); err != nil {
			t.Error(err)
		}
	})
	return p
}

func wantFigures(t *testing.T, out string, patterns ...string) {
	t.Helper()
	for _, p := range patterns {
		if !regexp.MustCompile(`(?m)^` + p).MatchString(out) {
			t.Errorf("no %s in\n%s", p, out)
		}
	}
}

func TestMillisecondsHaveThreeDigits(t *testing.T) {
	t.Parallel()
	for in, want := range map[int]string{0: "0.00ms", 1_234_567: "1.23ms", 12_345_678: "12.3ms", 123_456_789: "123ms", 12_345_678_901: "12346ms"} {
		if got := fmt.Sprint(milliseconds(durationOf(in))); got != want {
			t.Errorf("%d is %s, want %s", in, got, want)
		}
	}
}
