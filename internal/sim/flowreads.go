package sim

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"html"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/sim/graph"
)

// Addresses that people and clients open without the Graph API.
const (
	previewPath = "/wa/manage/flows/" // {id}/preview/?token=…
	assetPath   = "/flow_assets/"     // {id}/flow.json?ext=…&hash=…
	assetLife   = 5 * time.Minute
	metaISO     = "2006-01-02T15:04:05-0700"
)

const flowFields = "id,name,status,categories,validation_errors"

func (f *flow) object(s *Sim) object {
	o := object{"id": f.id, "name": f.name, "status": f.status, "categories": f.categories, "validation_errors": f.problems(),
		"json_version": nil, "data_api_version": nil, "endpoint_uri": nil, "preview": nil,
		"whatsapp_business_account": object{"id": f.account.ID, "name": f.account.Name, "currency": f.account.Currency, "timezone_id": "1",
			"message_template_namespace": "wx_" + strconv.FormatUint(hash64(f.account.ID), 36)},
		"application": nil, "health_status": f.health(s)}
	if f.text != nil {
		o["json_version"] = f.checked.Version
	}
	if f.checked.DataAPIVersion != "" {
		o["data_api_version"] = f.checked.DataAPIVersion
	}
	if f.endpoint != "" {
		o["endpoint_uri"] = f.endpoint
	}
	if f.app != "" {
		o["application"] = object{"id": f.app, "name": s.world.AppName, "link": "https://www.facebook.com/games/?app_id=" + f.app}
	}
	return o
}

// health tells who is in the way of sending the Flow.
func (f *flow) health(s *Sim) object {
	can := "AVAILABLE"
	switch {
	case f.status == flowBlocked, f.status == flowDeprecated, f.text == nil, !f.checked.Valid():
		can = "BLOCKED"
	case f.status == flowThrottled:
		can = "LIMITED"
	}
	return object{"can_send_message": can, "entities": []object{
		{"entity_type": "FLOW", "id": f.id, "can_send_message": can},
		{"entity_type": "WABA", "id": f.account.ID, "can_send_message": "AVAILABLE"},
		{"entity_type": "BUSINESS", "id": s.world.Portfolio, "can_send_message": "AVAILABLE"},
		{"entity_type": "APP", "id": s.o.AppID, "can_send_message": "AVAILABLE"}}}
}

// getFlow reads a Flow. Asking for the preview makes one; preview.invalidate(true) makes a new one.
func getFlow(s *Sim, c *call) (any, *graph.Error) {
	o := c.flow.object(s)
	fields, _ := c.params.String("fields")
	if i := strings.Index(fields, "preview"); i >= 0 && (i == 0 || fields[i-1] == ',' || fields[i-1] == ' ') {
		again := strings.HasPrefix(strings.ReplaceAll(fields[i:], " ", ""), "preview.invalidate(true)")
		if again || c.flow.until <= c.now {
			c.flow.preview, c.flow.until = s.st.ids.hex(32), c.now+int64(previewLife)
		}
		o["preview"] = object{"preview_url": s.o.PublicURL + previewPath + c.flow.id + "/preview/?token=" + c.flow.preview,
			"expires_at": time.Unix(0, c.flow.until).UTC().Format(metaISO)}
	}
	return o.pick(c, nodeFlow, flowFields)
}

func listFlows(s *Sim, c *call) (any, *graph.Error) {
	all := make([]object, 0, len(c.account.flows))
	for _, f := range c.account.flows {
		all = append(all, f.object(s))
	}
	return s.paged(c, nodeFlow, flowFields, all)
}

// listFlowAssets is one page: a Flow has its text, and nothing else. Assets have no id.
func listFlowAssets(s *Sim, c *call) (any, *graph.Error) {
	p := page{Data: []object{}}
	if c.flow.text != nil {
		ext := strconv.FormatInt(c.now/int64(time.Second)+int64(assetLife/time.Second), 10)
		p.Data = append(p.Data, object{"name": "flow.json", "asset_type": "FLOW_JSON",
			"download_url": s.o.PublicURL + assetPath + c.flow.id + "/flow.json?ext=" + ext + "&hash=" + s.assetHash(c.flow.id, ext)})
		p.Paging = &paging{}
		p.Paging.Cursors.Before, p.Paging.Cursors.After = cursor(0), cursor(0)
	}
	return p, nil
}

func (s *Sim) assetHash(id, ext string) string {
	h := hmac.New(sha256.New, []byte(s.o.AppSecret))
	h.Write([]byte("flow\n" + id + "\n" + ext))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:18])
}

// downloadFlow serves an asset's address: no token, but it expires.
func (s *Sim) downloadFlow(w http.ResponseWriter, r *http.Request) {
	id, ext := r.PathValue("id"), r.URL.Query().Get("ext")
	var text []byte
	var now time.Time
	s.with(func(st *state) {
		now = s.now()
		if f := st.flows[id]; f != nil {
			text = f.text
		}
	})
	until, err := strconv.ParseInt(ext, 10, 64)
	if text == nil || err != nil || now.Unix() >= until || !hmac.Equal([]byte(r.URL.Query().Get("hash")), []byte(s.assetHash(id, ext))) {
		http.Error(w, "URL signature expired", http.StatusForbidden)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(text))
}

// previewFlow shows a Flow to whoever has the link: its screens in order, and what is on them.
func (s *Sim) previewFlow(w http.ResponseWriter, r *http.Request) {
	var name, status string
	var text []byte
	s.with(func(st *state) {
		f := st.flows[r.PathValue("id")]
		if f == nil || f.preview == "" || s.now().UnixNano() >= f.until || !hmac.Equal([]byte(f.preview), []byte(r.URL.Query().Get("token"))) {
			return
		}
		name, status, text = f.name, f.status, f.text
	})
	if name == "" {
		http.Error(w, "This preview is no longer available.", http.StatusNotFound)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
	h.Set("Referrer-Policy", "no-referrer")
	_, _ = w.Write(previewPage(name, status, text))
}

// previewPage renders what can be shown without a phone: titles, texts and labels.
func previewPage(name, status string, text []byte) []byte {
	var doc struct {
		Screens []struct {
			ID     string `json:"id"`
			Title  string `json:"title"`
			Layout any    `json:"layout"`
		} `json:"screens"`
	}
	_ = json.Unmarshal(text, &doc) // a broken text has no screens to show
	var b bytes.Buffer
	b.WriteString("<!doctype html><meta charset=utf-8><title>" + html.EscapeString(name) + "</title><style>body{font:16px sans-serif;" +
		"max-width:24em;margin:2em auto}section{border:1px solid #ccc;border-radius:12px;padding:1em;margin:1em 0}</style><h1>" +
		html.EscapeString(name) + "</h1><p>" + html.EscapeString(status) + "</p>")
	for _, screen := range doc.Screens {
		b.WriteString("<section><h2>" + html.EscapeString(screen.Title) + "</h2><small>" + html.EscapeString(screen.ID) + "</small>")
		previewComponent(&b, screen.Layout)
		b.WriteString("</section>")
	}
	return b.Bytes()
}

func previewComponent(b *bytes.Buffer, v any) {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			previewComponent(b, item)
		}
	case map[string]any:
		for _, key := range []string{"text", "label", "title"} {
			if s, ok := v[key].(string); ok {
				b.WriteString("<p>" + html.EscapeString(s) + "</p>")
				break
			}
		}
		for _, key := range []string{"children", "then", "data-source", "list-items"} {
			previewComponent(b, v[key])
		}
	}
}
