package sigv4

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"
)

const mismatchText = "The request signature we calculated does not match the signature you provided. " +
	"Check your AWS Secret Access Key and signing method. Consult the service documentation for details."

// Refusals in the words, and in the order of precedence, of AWS's front ends: each case breaks one check and may break later
// ones too.
func TestRefusals(t *testing.T) {
	t.Parallel()
	const zeros = "0000000000000000000000000000000000000000000000000000000000000000"
	const scope = "AKIDEXAMPLE/20150830/us-east-1/social-messaging/aws4_request"
	auth := func(credential, headers, signature string) string {
		var parts []string
		for _, p := range [][2]string{{"Credential", credential}, {"SignedHeaders", headers}, {"Signature", signature}} {
			if p[1] != "" {
				parts = append(parts, p[0]+"="+p[1])
			}
		}
		return "AWS4-HMAC-SHA256 " + strings.Join(parts, ", ")
	}
	const date = "20150830T123600Z"
	good := auth(scope, "host;x-amz-date", zeros)

	for _, tc := range []struct {
		name   string
		auth   string
		date   string
		header http.Header
		reason Reason
		want   string
	}{
		{"1: no Authorization", "", date, nil, Missing, "Request is missing Authentication Token"},
		{"1: another scheme", "Bearer token", date, nil, Missing, "Request is missing Authentication Token"},
		{"1: an older version of signatures", "AWS AKIDEXAMPLE:sig", date, nil, Missing, "Request is missing Authentication Token"},
		{"2: nothing but the algorithm", "AWS4-HMAC-SHA256", date, nil, Incomplete,
			"Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. " +
				"Authorization header requires 'SignedHeaders' parameter. Authorization=AWS4-HMAC-SHA256"},
		{"2: no credential", auth("", "host", zeros), date, nil, Incomplete,
			"Authorization header requires 'Credential' parameter. Authorization=" + auth("", "host", zeros)},
		{"2: no signed headers", auth(scope, "", zeros), date, nil, Incomplete,
			"Authorization header requires 'SignedHeaders' parameter. Authorization=" + auth(scope, "", zeros)},
		{"2: no signature", auth(scope, "host", ""), date, nil, Incomplete,
			"Authorization header requires 'Signature' parameter. Authorization=" + auth(scope, "host", "")},
		{"2: no date", good, "", nil, Incomplete,
			"Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. Authorization=" + good},
		{"3: date in another format", good, "2015-08-30T12:36:00Z", nil, Incomplete,
			"Date must be in ISO-8601 'basic format'. Got '2015-08-30T12:36:00Z'. See http://en.wikipedia.org/wiki/ISO_8601"},
		{"3: date that does not exist", good, "20150230T123600Z", nil, Incomplete,
			"Date must be in ISO-8601 'basic format'. Got '20150230T123600Z'. See http://en.wikipedia.org/wiki/ISO_8601"},
		{"3: date with a fraction", good, "20150830T123600.5Z", nil, Incomplete,
			"Date must be in ISO-8601 'basic format'. Got '20150830T123600.5Z'. See http://en.wikipedia.org/wiki/ISO_8601"},
		{"4: too old", good, "20150830T123059Z", nil, Invalid,
			"Signature expired: 20150830T123059Z is now earlier than 20150830T123100Z (20150830T123600Z - 5 min.)"},
		{"4: too new", good, "20150830T124101Z", nil, Invalid,
			"Signature not yet current: 20150830T124101Z is still later than 20150830T124100Z (20150830T123600Z + 5 min.)"},
		{"4: just young enough", good, "20150830T124100Z", nil, Invalid, mismatchText},
		{"4: just old enough", good, "20150830T123100Z", nil, Invalid, mismatchText},
		{"4 before 5, 6, 7: too old and all else wrong", "AWS4-X Credential=x, SignedHeaders=x, Signature=x", "20150830T000000Z", nil, Invalid,
			"Signature expired: 20150830T000000Z is now earlier than 20150830T123100Z (20150830T123600Z - 5 min.)"},
		{"5: host not signed", auth(scope, "x-amz-date", zeros), date, nil, Invalid,
			"'Host' must be a 'SignedHeader' in the AWS Authorization."},
		{"5: date header not signed", auth(scope, "host", zeros), date, nil, Invalid,
			"'x-amz-date' must be a 'SignedHeader' in the AWS Authorization."},
		{"5: another x-amz header not signed", good, date, http.Header{"X-Amz-Meta": {"v"}}, Invalid,
			"'x-amz-meta' must be a 'SignedHeader' in the AWS Authorization."},
		{"6: unknown algorithm", strings.Replace(good, "AWS4-HMAC-SHA256", "AWS4-HMAC-MD5", 1), date, nil, Incomplete,
			"Unsupported AWS 'algorithm': 'AWS4-HMAC-MD5'"},
		{"6: asymmetric algorithm", strings.Replace(good, "AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256", 1), date, nil, Incomplete,
			"Unsupported AWS 'algorithm': 'AWS4-ECDSA-P256-SHA256'"},
		{"7: credential of one part", auth("AKIDEXAMPLE", "host;x-amz-date", zeros), date, nil, Incomplete,
			"Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got 'AKIDEXAMPLE'"},
		{"7: credential of four parts", auth("AKIDEXAMPLE/20150830/us-east-1/social-messaging", "host;x-amz-date", zeros), date, nil, Incomplete,
			"Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got 'AKIDEXAMPLE/20150830/us-east-1/social-messaging'"},
		{"7: credential of six parts", auth(scope+"/x", "host;x-amz-date", zeros), date, nil, Incomplete,
			"Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '" + scope + "/x'"},
		{"8: wrong region", auth("AKIDEXAMPLE/20150830/eu-west-1/social-messaging/aws4_request", "host;x-amz-date", zeros), date, nil, Invalid,
			"Credential should be scoped to a valid region, not 'eu-west-1'."},
		{"8: wrong service", auth("AKIDEXAMPLE/20150830/us-east-1/sms/aws4_request", "host;x-amz-date", zeros), date, nil, Invalid,
			"Credential should be scoped to correct service: 'social-messaging'."},
		{"8: wrong terminator", auth("AKIDEXAMPLE/20150830/us-east-1/social-messaging/aws5", "host;x-amz-date", zeros), date, nil, Invalid,
			"Credential should be scoped with a valid terminator: 'aws4_request', not 'aws5'."},
		{"8: wrong date", auth("AKIDEXAMPLE/20150829/us-east-1/social-messaging/aws4_request", "host;x-amz-date", zeros), date, nil, Invalid,
			"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20150829' != '20150830', from '20150830T123600Z'."},
		{"8: wrong region, service and terminator", auth("AKIDEXAMPLE/20150830/a/b/c", "host;x-amz-date", zeros), date, nil, Invalid,
			"Credential should be scoped to a valid region, not 'a'. Credential should be scoped to correct service: 'social-messaging'. " +
				"Credential should be scoped with a valid terminator: 'aws4_request', not 'c'."},
		{"9: unknown key", auth(strings.Replace(scope, "AKIDEXAMPLE", "AKIDNOBODY", 1), "host;x-amz-date", zeros), date, nil, UnknownKey,
			"The security token included in the request is invalid."},
		{"9: key that was switched off", auth(strings.Replace(scope, "AKIDEXAMPLE", "AKIDRETIRED", 1), "host;x-amz-date", zeros), date, nil, UnknownKey,
			"The security token included in the request is invalid."},
		{"9: empty key", auth(strings.TrimPrefix(scope, "AKIDEXAMPLE"), "host;x-amz-date", zeros), date, nil, UnknownKey,
			"The security token included in the request is invalid."},
		{"10: wrong signature", good, date, nil, Invalid, mismatchText},
		{"10: no spaces after commas", strings.ReplaceAll(good, ", ", ","), date, nil, Invalid, mismatchText},
		{"10: header signed that is not there", auth(scope, "host;x-amz-date;x-nothing", zeros), date, nil, Invalid, mismatchText},
		{"10 before 11: token and wrong signature", auth(scope, "host;x-amz-date;x-amz-security-token", zeros), date,
			http.Header{"X-Amz-Security-Token": {"t"}}, Invalid, mismatchText},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r := request("GET", "/", "")
			for name, values := range tc.header {
				r.Header[name] = values
			}
			if tc.auth != "" {
				r.Header.Set("Authorization", tc.auth)
			}
			if tc.date != "" {
				r.Header.Set("X-Amz-Date", tc.date)
			}
			check(t, verify(verifier(), r, &messaging), tc.reason, tc.want)
		})
	}
}

func check(t *testing.T, err error, reason Reason, want string) {
	t.Helper()
	var refused *Error
	if !errors.As(err, &refused) || refused.Reason != reason || refused.Message != want {
		t.Errorf("verify = %v\nwant reason %d: %s", err, reason, want)
	}
}

func TestTokenWithLongTermKey(t *testing.T) {
	t.Parallel()
	r := sign4(t, request("GET", "/", ""), "", func(s *signing) { s.token = "FwoGZXIvYXdz" })
	check(t, verify(verifier(), r, &messaging), UnknownKey, "The security token included in the request is invalid")
}

func TestKeyStoreFailureIsNotARefusal(t *testing.T) {
	t.Parallel()
	r := sign4(t, request("GET", "/", ""), "", func(s *signing) { s.id = "AKIDBROKEN" })
	if err := verify(verifier(), r, &messaging); !errors.Is(err, errStore) {
		t.Errorf("verify = %v, want the store's error", err)
	}
}

func TestDateHeader(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, date string
		want       string
	}{
		{"HTTP date in time", now.Format(http.TimeFormat), mismatchText},
		{"HTTP date too old", now.Add(-time.Hour).Format(http.TimeFormat),
			"Signature expired: 20150830T113600Z is now earlier than 20150830T123100Z (20150830T123600Z - 5 min.)"},
		{"basic format in time", "20150830T123600Z", mismatchText},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r := request("GET", "/", "")
			r.Header.Set("Date", tc.date)
			r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/social-messaging/aws4_request, "+
				"SignedHeaders=date;host, Signature=x")
			check(t, verify(verifier(), r, &messaging), Invalid, tc.want)
		})
	}
}

func TestSkewIsASetting(t *testing.T) {
	t.Parallel()
	at := func(d time.Duration) func(*signing) { return func(s *signing) { s.at = now.Add(d) } }
	v := New(known, 15*time.Minute, func() time.Time { return now })
	if err := verify(v, sign4(t, request("GET", "/", ""), "", at(-14*time.Minute)), &messaging); err != nil {
		t.Errorf("14 minutes old: %v", err)
	}
	check(t, verify(v, sign4(t, request("GET", "/", ""), "", at(16*time.Minute)), &messaging), Invalid,
		"Signature not yet current: 20150830T125200Z is still later than 20150830T125100Z (20150830T123600Z + 15 min.)")
}

func TestPresignedRefusals(t *testing.T) {
	t.Parallel()
	const all = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20150830%2Fus-east-1%2Fsocial-messaging%2Faws4_request" +
		"&X-Amz-Date=20150830T123600Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=00"
	set := func(old, new string) string { return strings.Replace(all, old, new, 1) }
	for _, tc := range []struct {
		name, query string
		reason      Reason
		want        string
	}{
		{"wrong signature", all, Invalid, mismatchText},
		{"only the algorithm", "X-Amz-Algorithm=AWS4-HMAC-SHA256", Incomplete,
			"AWS query-string parameters must include 'X-Amz-Credential'. AWS query-string parameters must include 'X-Amz-Signature'. " +
				"AWS query-string parameters must include 'X-Amz-SignedHeaders'. AWS query-string parameters must include 'X-Amz-Date'. " +
				"Re-examine the query-string parameters."},
		{"no date", set("X-Amz-Date=20150830T123600Z&", ""), Incomplete,
			"AWS query-string parameters must include 'X-Amz-Date'. Re-examine the query-string parameters."},
		{"bad date", set("20150830T123600Z", "yesterday"), Incomplete,
			"Date must be in ISO-8601 'basic format'. Got 'yesterday'. See http://en.wikipedia.org/wiki/ISO_8601"},
		{"life of nothing", set("Expires=60", "Expires=0"), Incomplete, "X-Amz-Expires must be a number of seconds from 1 to 604800, got '0'"},
		{"life of more than a week", set("Expires=60", "Expires=604801"), Incomplete,
			"X-Amz-Expires must be a number of seconds from 1 to 604800, got '604801'"},
		{"life that is no number", set("Expires=60", "Expires=1m"), Incomplete,
			"X-Amz-Expires must be a number of seconds from 1 to 604800, got '1m'"},
		{"expired", set("20150830T123600Z", "20150830T123459Z"), Invalid,
			"Signature expired: 20150830T123459Z is now earlier than 20150830T123500Z (20150830T123600Z - 1 min.)"},
		{"expired after an odd time", strings.Replace(set("20150830T123600Z", "20150830T123429Z"), "Expires=60", "Expires=90", 1), Invalid,
			"Signature expired: 20150830T123429Z is now earlier than 20150830T123430Z (20150830T123600Z - 90 sec.)"},
		{"old, but alive", strings.Replace(strings.ReplaceAll(all, "20150830", "20150824"), "Expires=60", "Expires=604800", 1), Invalid, mismatchText},
		{"without life, beyond the skew", strings.Replace(set("20150830T123600Z", "20150830T123059Z"), "&X-Amz-Expires=60", "", 1), Invalid,
			"Signature expired: 20150830T123059Z is now earlier than 20150830T123100Z (20150830T123600Z - 5 min.)"},
		{"not yet current", set("20150830T123600Z", "20150830T124101Z"), Invalid,
			"Signature not yet current: 20150830T124101Z is still later than 20150830T124100Z (20150830T123600Z + 5 min.)"},
		{"host not signed", set("SignedHeaders=host", "SignedHeaders=x"), Invalid, "'Host' must be a 'SignedHeader' in the AWS Authorization."},
		{"unknown algorithm", set("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1"), Incomplete, "Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA1'"},
		{"wrong region", set("us-east-1", "us-east-9"), Invalid, "Credential should be scoped to a valid region, not 'us-east-9'."},
		{"unknown key", set("AKIDEXAMPLE", "AKIDNOBODY"), UnknownKey, "The security token included in the request is invalid."},
		{"names in small letters", strings.ToLower(all), Missing, "Request is missing Authentication Token"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			check(t, verify(verifier(), request("GET", "/?"+tc.query, ""), &messaging), tc.reason, tc.want)
		})
	}
}
