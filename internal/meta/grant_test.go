package meta

import (
	"io"
	"net/http"
	"testing"

	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/identity"
)

func TestGrant(t *testing.T) {
	t.Parallel()
	const (
		scopes  = `"scopes":["whatsapp_business_management","whatsapp_business_messaging"],"granular_scopes":[{"scope":"whatsapp_business_management","target_ids":["12","13"]}]`
		good    = `{"data":{"app_id":"1300","is_valid":true,` + scopes + `}}`
		unknown = `{"data":{"is_valid":false,"error":{"message":"could not be decrypted"}}}`
	)
	for _, tc := range []struct {
		name       string
		credential identity.Secret
		debug      map[string]string // by token
		exchange   string
		status     int
		token      identity.Secret
		want       fault.Kind // "" is success
	}{
		{name: "token", credential: "EAA", debug: map[string]string{"EAA": good}, token: "EAA"},
		{name: "code", credential: "AQB", debug: map[string]string{"AQB": unknown, "EAG": good}, exchange: `{"access_token":"EAG"}`, token: "EAG"},
		{name: "code used before", credential: "AQB", debug: map[string]string{"AQB": unknown}, status: 400,
			exchange: `{"error":{"code":100,"message":"This authorization code has been used."}}`, want: fault.InvalidParameters},
		{name: "Meta down during the exchange", credential: "AQB", debug: map[string]string{"AQB": unknown}, status: 503, exchange: `{}`, want: fault.Dependency},
		{name: "expired token", credential: "EAA", debug: map[string]string{"EAA": `{"data":{"app_id":"1300","is_valid":false,"error":{"message":"expired"}}}`},
			want: fault.InvalidParameters},
		{name: "another app's token", credential: "EAA", debug: map[string]string{"EAA": `{"data":{"app_id":"9","is_valid":true,` + scopes + `}}`},
			want: fault.InvalidParameters},
		{name: "too few permissions", credential: "EAA", debug: map[string]string{"EAA": `{"data":{"app_id":"1300","is_valid":true,"scopes":["whatsapp_business_management"]}}`},
			want: fault.InvalidParameters},
		{name: "no account named", credential: "EAA", debug: map[string]string{"EAA": `{"data":{"app_id":"1300","is_valid":true,
			"scopes":["whatsapp_business_management","whatsapp_business_messaging"]}}`}, want: fault.InvalidParameters},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			srv := client(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/v25.0/oauth/access_token" {
					if q := r.URL.Query(); q.Get("client_id") != "1300" || q.Get("client_secret") != "shh" {
						t.Errorf("exchange as %s", q.Get("client_id"))
					}
					if tc.status != 0 {
						w.WriteHeader(tc.status)
					}
					_, _ = io.WriteString(w, tc.exchange)
					return
				}
				_, _ = io.WriteString(w, tc.debug[r.URL.Query().Get("input_token")])
			})
			c := newClient(t, Options{BaseURL: srv.base.String(), AppID: "1300", AppSecret: "shh"})
			got, err := c.Grant(t.Context(), tc.credential)
			if tc.want != "" {
				if !fault.Is(err, tc.want) {
					t.Errorf("error = %v, want %s", err, tc.want)
				}
				return
			}
			if err != nil || got.Token != tc.token || len(got.MetaIDs) != 2 {
				t.Errorf("grant = %q of %v, %v", got.Token.Reveal(), got.MetaIDs, err)
			}
		})
	}
}

func TestGrantNeedsAnApp(t *testing.T) {
	t.Parallel()
	c := client(t, func(http.ResponseWriter, *http.Request) { t.Error("Meta was asked") })
	if _, err := c.Grant(t.Context(), "EAA"); !fault.Is(err, fault.InvalidParameters) {
		t.Errorf("error = %v", err)
	}
}
