package account

import (
	"strings"
	"testing"
)

func TestResolveKey(t *testing.T) {
	t.Parallel()
	scope := Scope{Partition: "aws", Region: "us-east-1", AccountID: "000000000000"}
	key := strings.Repeat("0", 31) + "1"
	for _, tc := range []struct {
		name, in, want string
		ok             bool
	}{
		{"id", "waba-" + key, key, true},
		{"arn", "arn:aws:social-messaging:us-east-1:000000000000:waba/" + key, key, true},
		{"arn that repeats the prefix", "arn:aws:social-messaging:us-east-1:000000000000:waba/waba-" + key, key, true},
		{"another kind", "phone-number-id-" + key, "", false},
		{"another kind's arn", "arn:aws:social-messaging:us-east-1:000000000000:phone-number-id/" + key, "", false},
		{"another account", "arn:aws:social-messaging:us-east-1:111122223333:waba/" + key, "", false},
		{"another region", "arn:aws:social-messaging:eu-west-1:000000000000:waba/" + key, "", false},
		{"another service", "arn:aws:sns:us-east-1:000000000000:waba/" + key, "", false},
		{"empty key", "waba-", "", false},
		{"empty", "", "", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, ok := ResolveKey(scope, KindWABA, tc.in)
			if ok != tc.ok || (ok && got != tc.want) {
				t.Errorf("ResolveKey(%q) = %q, %v; want %q, %v", tc.in, got, ok, tc.want, tc.ok)
			}
		})
	}
}

func TestNewKeyIsResolvable(t *testing.T) {
	t.Parallel()
	key := NewKey()
	if len(key) != 32 {
		t.Fatalf("key %q has %d characters, want 32", key, len(key))
	}
	if got, ok := ResolveKey(Scope{}, KindPhoneNumber, ID(KindPhoneNumber, key)); !ok || got != key {
		t.Errorf("ResolveKey of a new id = %q, %v; want %q", got, ok, key)
	}
}
