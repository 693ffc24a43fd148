package topic

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-messaging/waxwing/internal/fault"
)

func TestCheckName(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, in string
		ok       bool
	}{
		{"letters", "whatsapp-events_1", true},
		{"one character", "a", true},
		{"longest", strings.Repeat("a", maxName), true},
		{"too long", strings.Repeat("a", maxName+1), false},
		{"empty", "", false},
		{"fifo", "orders.fifo", false},
		{"period", "a.b", false},
		{"space", "a b", false},
		{"line break", "a\n", false},
		{"not ascii", "ä", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if err := CheckName(tc.in); (err == nil) != tc.ok {
				t.Errorf("CheckName(%q) = %v, want ok %v", tc.in, err, tc.ok)
			}
		})
	}
}

func TestParseARN(t *testing.T) {
	t.Parallel()
	const uuid = "0a1b2c3d-0000-4000-8000-0123456789ab"
	for _, tc := range []struct {
		name, in string
		parse    func(string, string) (ARN, error)
		want     string // error text; "" for success
	}{
		{"topic", "arn:aws:sns:us-east-1:000000000000:orders", ParseARN, ""},
		{"subscription", "arn:aws:sns:us-east-1:000000000000:orders:" + uuid, ParseSubscriptionARN, ""},
		{"missing", "", ParseARN, "Invalid parameter: P Reason: no value for required parameter"},
		{"not an arn", "fake_topic", ParseARN, "Invalid parameter: P Reason: fake_topic does not start with arn"},
		{"too short", "arn:aws:sns:us-east-1", ParseARN, "Invalid parameter: P Reason: An ARN must have at least 6 elements, not 4"},
		{"another service", "arn:aws:sqs:us-east-1:000000000000:orders", ParseARN, "Invalid parameter: P"},
		{"bad name", "arn:aws:sns:us-east-1:000000000000:or ders", ParseARN, "Invalid parameter: P"},
		{"subscription for topic", "arn:aws:sns:us-east-1:000000000000:orders:" + uuid, ParseARN, "Invalid parameter: P"},
		{"topic for subscription", "arn:aws:sns:us-east-1:000000000000:orders", ParseSubscriptionARN, "Invalid parameter: P"},
		{"no uuid", "arn:aws:sns:us-east-1:000000000000:orders:x", ParseSubscriptionARN, "Invalid parameter: P"},
		{"one part more", "arn:aws:sns:us-east-1:000000000000:orders:" + uuid + ":x", ParseSubscriptionARN, "Invalid parameter: P"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, err := tc.parse("P", tc.in)
			switch {
			case tc.want == "" && (err != nil || got.String() != tc.in):
				t.Errorf("got %q, %v; want %q", got, err, tc.in)
			case tc.want != "" && (err == nil || err.Error() != tc.want || !fault.Is(err, fault.InvalidParameters)):
				t.Errorf("error = %v, want %q", err, tc.want)
			}
		})
	}
}

func TestNewUUID(t *testing.T) {
	t.Parallel()
	id := newUUID()
	if !isUUID(id) || id[14] != '4' || !strings.ContainsRune("89ab", rune(id[19])) {
		t.Errorf("%q is not a version 4 UUID", id)
	}
}

func TestTopicAttributes(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, attribute, value string
		ok                     bool
	}{
		{"display name", "DisplayName", "Orders of today", true},
		{"display name with control characters", "DisplayName", "a\nb", false},
		{"long display name", "DisplayName", strings.Repeat("x", 101), false},
		{"policy", "Policy", `{"Version":"2012-10-17","Statement":[]}`, true},
		{"policy reset", "Policy", "", true},
		{"policy that is no object", "Policy", `[]`, false},
		{"policy that is no json", "Policy", `{`, false},
		{"signature version 1", "SignatureVersion", "1", true},
		{"signature version 2", "SignatureVersion", "2", true},
		{"signature version 3", "SignatureVersion", "3", false},
		{"standard", "FifoTopic", "false", true},
		{"fifo", "FifoTopic", "true", false},
		{"known to SNS only", "DeliveryPolicy", "{}", false},
		{"unknown", "Colour", "red", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var topic Topic
			err := topic.Set(tc.attribute, tc.value)
			if (err == nil) != tc.ok || (err != nil && !fault.Is(err, fault.InvalidParameters)) {
				t.Errorf("Set(%q, %q) = %v, want ok %v", tc.attribute, tc.value, err, tc.ok)
			}
		})
	}

	t.Run("all or none", func(t *testing.T) {
		t.Parallel()
		topic := Topic{SignatureVersion: SHA1}
		if err := topic.SetAll(map[string]string{"SignatureVersion": "2", "DisplayName": "x", "Colour": "red"}); err == nil {
			t.Fatal("an unknown attribute was accepted")
		}
		if diff := cmp.Diff(Topic{SignatureVersion: SHA1}, topic); diff != "" {
			t.Errorf("half applied:\n%s", diff)
		}
	})
}

func TestTags(t *testing.T) {
	t.Parallel()
	var topic Topic
	if err := topic.SetTags(map[string]string{"a": "1"}); err != nil {
		t.Fatal(err)
	}
	if err := topic.SetTags(map[string]string{"a": "2", "b": ""}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"a": "2", "b": ""}, topic.Tags); diff != "" {
		t.Errorf("tags (-want +got):\n%s", diff)
	}
	many := map[string]string{}
	for i := range 50 {
		many[strings.Repeat("k", i+1)] = ""
	}
	for name, tags := range map[string]map[string]string{
		"reserved": {"AWS:x": ""}, "no key": {"": ""}, "long value": {"x": strings.Repeat("v", 257)}, "too many": many,
	} {
		if err := topic.SetTags(tags); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestParseURL(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, protocol, in, shown, password string
		ok                                  bool
	}{
		{"http", "http", "http://127.0.0.1:8080/sns?x=1", "http://127.0.0.1:8080/sns?x=1", "", true},
		{"https", "https", "https://example.com", "https://example.com", "", true},
		{"password", "https", "https://user:p%40ss@example.com/x", "https://user:****@example.com/x", "p@ss", true},
		{"user only", "https", "https://user@example.com/", "https://user@example.com/", "", true},
		{"protocol differs", "https", "http://example.com", "", "", false},
		{"no host", "http", "http:///x", "", "", false},
		{"not a url", "http", "http://[::1", "", "", false},
		{"line break", "http", "http://example.com/\nx", "", "", false},
		{"fragment", "http", "http://example.com/#x", "", "", false},
		{"too long", "http", "http://example.com/" + strings.Repeat("x", 2048), "", "", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			shown, password, err := parseURL(tc.protocol, tc.in)
			if (err == nil) != tc.ok || shown != tc.shown || password != tc.password {
				t.Fatalf("= %q, %q, %v; want %q, %q, ok %v", shown, password, err, tc.shown, tc.password, tc.ok)
			}
			if !tc.ok {
				return
			}
			s := Subscription{Endpoint: shown}
			if password != "" {
				s.Password = []byte("sealed")
			}
			if address, err := s.Address(password); err != nil || address.String() != tc.in {
				t.Errorf("Address = %v, %v; want %q", address, err, tc.in)
			}
		})
	}
}

func FuzzParseARN(f *testing.F) {
	f.Add("arn:aws:sns:us-east-1:000000000000:orders:0a1b2c3d-0000-4000-8000-0123456789ab")
	f.Add("arn:aws:sns:us-east-1:000000000000:orders")
	f.Add("arn:::::::::")
	f.Fuzz(func(t *testing.T, s string) {
		for _, parse := range []func(string, string) (ARN, error){ParseARN, ParseSubscriptionARN} {
			if a, err := parse("P", s); err == nil && a.String() != s {
				t.Errorf("%q became %q", s, a)
			}
		}
	})
}

func FuzzURL(f *testing.F) {
	f.Add("https://user:secret@example.com/x")
	f.Add("https://user:a:b@@example.com/x")
	f.Fuzz(func(t *testing.T, s string) {
		shown, password, err := parseURL(HTTPS, s)
		if err != nil || password == "" {
			return
		}
		sub := Subscription{Endpoint: shown, Password: []byte("sealed")}
		u, err := sub.Address(password)
		if err != nil {
			t.Fatalf("%q is shown as %q, which is no URL: %v", s, shown, err)
		}
		if got, _ := u.User.Password(); got != password {
			t.Errorf("password of %q is %q, want %q", s, got, password)
		}
	})
}
