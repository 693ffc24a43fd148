package sim

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

const (
	datasetPath = "/v25.0/" + AccountID + "/dataset"
	keyPath     = "/v25.0/" + NumberID + "/whatsapp_business_encryption"
)

func TestDatasetEvents(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{Now: func() time.Time { return epoch }})
	if r := f.graph(http.MethodGet, datasetPath, ""); string(r.body) != `{}` {
		t.Errorf("before there is one: %s", r.body)
	}
	var first, second objID
	for _, id := range []*objID{&first, &second} {
		r := f.graph(http.MethodPost, datasetPath, "")
		if err := json.Unmarshal(r.body, id); err != nil || id.ID == "" {
			t.Fatalf("create = %d %s", r.status, r.body)
		}
	}
	if first != second {
		t.Errorf("two datasets, %s and %s", first.ID, second.ID)
	}
	event := func(changes ...string) string {
		e := fmt.Sprintf(`{"event_name":"Purchase","event_time":%d,"action_source":"business_messaging","messaging_channel":"whatsapp","user_data":{"ctwa_clid":"x"}}`, epoch.Unix())
		return strings.NewReplacer(changes...).Replace(e)
	}
	path := "/v25.0/" + first.ID + "/events"
	r := f.graph(http.MethodPost, path, `{"data":[`+event()+`,`+event()+`]}`)
	if r.status != http.StatusOK || !strings.Contains(string(r.body), `"events_received":2`) || !strings.Contains(string(r.body), `"fbtrace_id":"A`) {
		t.Errorf("events = %d %s", r.status, r.body)
	}
	at := fmt.Sprint(epoch.Unix())
	for _, tc := range []struct{ name, body, text string }{
		{"no data", `{}`, "data is required"},
		{"empty data", `{"data":[]}`, "data is required"},
		{"data that is no list", `{"data":{}}`, "data is required"},
		{"too many", `{"data":[` + strings.Repeat("1,", maxEventsCall) + `1]}`, "at most"},
		{"event that is no object", `{"data":[1]}`, "data[0]"},
		{"no name", `{"data":[` + event(`"Purchase"`, `""`) + `]}`, "event_name"},
		{"no time", `{"data":[` + event(at, `"now"`) + `]}`, "event_time"},
		{"the future", `{"data":[` + event(at, fmt.Sprint(epoch.Add(time.Hour).Unix())) + `]}`, "future"},
		{"long ago", `{"data":[` + event(at, fmt.Sprint(epoch.Add(-8*24*time.Hour).Unix())) + `]}`, "7 days"},
		{"another source", `{"data":[` + event("business_messaging", "website") + `]}`, "action_source"},
		{"another channel", `{"data":[` + event(`"whatsapp"`, `"messenger"`) + `]}`, "messaging_channel"},
		{"nobody", `{"data":[` + event(`"user_data":{"ctwa_clid":"x"}`, `"x":1`) + `]}`, "user_data"},
		{"one good, one bad", `{"data":[` + event() + `,{}]}`, "data[1]"},
		{"not JSON", `{`, "JSON"},
	} {
		if r := f.graph(http.MethodPost, path, tc.body); r.status != http.StatusBadRequest || r.errorCode(t) != 100 || !strings.Contains(string(r.body), tc.text) {
			t.Errorf("%s = %d %s, want %q", tc.name, r.status, r.body, tc.text)
		}
	}
	if got := string(f.control(http.MethodGet, "/sim/v1/datasets", "")); !strings.Contains(got, `"received": 2`) {
		t.Errorf("datasets = %s", got)
	}
}

func TestPublicKey(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	if r := f.graph(http.MethodGet, keyPath, ""); string(r.body) != `{"data":[]}` {
		t.Errorf("before there is one: %s", r.body)
	}
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	good := testKey(t, 2048)
	for name, key := range map[string]string{"none": "", "not PEM": "x", "too small": testKey(t, 1024), "another algorithm": encodeKey(t, &curve.PublicKey),
		"a private key": strings.ReplaceAll(good, "PUBLIC", "PRIVATE"), "broken": "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"} {
		if r := f.graph(http.MethodPost, keyPath, `{"business_public_key":`+jsonText(key)+`}`); r.errorCode(t) != 100 {
			t.Errorf("%s = %d %s", name, r.status, r.body)
		}
	}
	form := url.Values{"business_public_key": {good}}.Encode()
	r, err := f.do(f.request(http.MethodPost, keyPath, form, "Authorization", "Bearer "+AccessToken, "Content-Type", "application/x-www-form-urlencoded"))
	if err != nil || string(r.body) != `{"success":true}` {
		t.Fatalf("store = %s %v", r.body, err)
	}
	read := func() (key, status string) {
		var a struct {
			Data []struct {
				Key    string `json:"business_public_key"`
				Status string `json:"business_public_key_signature_status"`
			}
		}
		if err := json.Unmarshal(f.graph(http.MethodGet, keyPath, "").body, &a); err != nil || len(a.Data) != 1 {
			t.Fatal(a, err)
		}
		return a.Data[0].Key, a.Data[0].Status
	}
	if key, status := read(); key != good || status != keyValid {
		t.Errorf("key %q, %s", key, status)
	}
	f.control(http.MethodPut, "/sim/v1/phone-numbers/"+NumberID+"/public-key", `{"signature_status":"MISMATCH"}`)
	if _, status := read(); status != keyMismatch {
		t.Errorf("status = %s", status)
	}
}

func testKey(t *testing.T, bits int) string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return encodeKey(t, &key.PublicKey)
}

func encodeKey(t *testing.T, key any) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}
