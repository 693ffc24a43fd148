package app

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/awsapi/awsapitest"
	"github.com/waxwing-messaging/waxwing/internal/config"
	"github.com/waxwing-messaging/waxwing/internal/identity"
	"github.com/waxwing-messaging/waxwing/internal/sim"
	"github.com/waxwing-messaging/waxwing/internal/store/sqlite/sqlitetest"
)

// node is an app that runs until its test ends or stops it.
type node struct {
	*App
	api  *awsapitest.Client
	stop func()
}

// start runs the development world in dir on free ports.
func start(t *testing.T, dir string, change func(*config.Config)) *node {
	t.Helper()
	return startOptions(t, dir, change, func(*Options) {})
}

// startOptions is start with more to change.
func startOptions(t *testing.T, dir string, change func(*config.Config), adjust func(*Options)) *node {
	t.Helper()
	cfg := config.Dev(dir)
	cfg.Listen, cfg.MetaListen, cfg.OpsListen = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	if change != nil {
		change(&cfg)
	}
	sqlitetest.Seed(t, cfg.SQLitePath())
	ready := make(chan struct{})
	o := Options{Config: cfg, Dev: true, Logger: slog.New(slog.DiscardHandler), Ready: func(*App) { close(ready) }}
	adjust(&o)
	a, err := New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	<-ready
	n := &node{App: a, api: &awsapitest.Client{URL: "http://" + a.APIAddr(), Service: "social-messaging",
		Key: identity.AccessKey{ID: config.DevAccessKeyID, Secret: config.DevSecretAccessKey}}}
	stopped := false
	n.stop = func() {
		if !stopped {
			stopped = true
			cancel()
			if err := <-ended; err != nil {
				t.Errorf("run: %v", err)
			}
		}
	}
	t.Cleanup(n.stop)
	return n
}

// call calls an action of a service that speaks the query protocol.
func (n *node) call(t *testing.T, service string, form url.Values) string {
	t.Helper()
	c := *n.api
	c.Service = service
	res := c.Do(t, http.MethodPost, "/", form)
	if res.Status != http.StatusOK {
		t.Fatalf("%s: %d %s", form.Get("Action"), res.Status, res.Body)
	}
	return string(res.Body)
}

const seededPhone = "phone-number-id-00000000000000000000000000000001"

// send sends a message and returns its id.
func (n *node) send(t *testing.T, object string) string {
	t.Helper()
	res := n.api.Do(t, http.MethodPost, "/v1/whatsapp/send", map[string]string{"originationPhoneNumberId": seededPhone,
		"metaApiVersion": "v20.0", "message": base64.StdEncoding.EncodeToString([]byte(object))})
	var out struct{ MessageID string }
	res.JSON(t, &out)
	if res.Status != http.StatusOK || out.MessageID == "" {
		t.Fatalf("send: %d %s", res.Status, res.Body)
	}
	return out.MessageID
}

// template is a message that WhatsApp takes at any time.
const template = `{"messaging_product":"whatsapp","to":"+14255550150","type":"template","template":{"name":"hello_world","language":{"code":"en_US"}}}`

// sink is an HTTP subscriber that confirms itself and passes on what it is told, as "status messageId" or "received".
func sink(t *testing.T) (endpoint string, told <-chan string) {
	t.Helper()
	ch := make(chan string, 1000)
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var doc struct{ SubscribeURL, Message string }
		body, _ := io.ReadAll(r.Body)
		if err := json.Unmarshal(body, &doc); err != nil {
			t.Errorf("notification %q: %v", body, err)
			return
		}
		if doc.SubscribeURL != "" {
			go func() {
				if res, err := http.Get(doc.SubscribeURL); err == nil {
					res.Body.Close()
				}
			}()
			return
		}
		ch <- describe(t, doc.Message)
	}))
	t.Cleanup(s.Close)
	return s.URL, ch
}

func describe(t *testing.T, envelope string) string {
	var doc struct {
		MessageID string `json:"messageId"`
		Entry     string `json:"whatsAppWebhookEntry"`
		Context   struct{ MetaWabaIds, MetaPhoneNumberIds []map[string]string }
	}
	var entry struct {
		Changes []struct {
			Value struct{ Statuses, Messages []struct{ Status string } }
		}
	}
	if err := json.Unmarshal([]byte(envelope), &doc); err != nil {
		t.Errorf("envelope %s: %v", envelope, err)
		return ""
	}
	if err := json.Unmarshal([]byte(doc.Entry), &entry); err != nil || len(entry.Changes) != 1 || len(doc.Context.MetaWabaIds) != 1 {
		t.Errorf("entry %s: %v", doc.Entry, err)
		return ""
	}
	if v := entry.Changes[0].Value; len(v.Statuses) == 1 {
		return v.Statuses[0].Status + " " + doc.MessageID
	}
	return "received" + doc.MessageID
}

// expect reads what the sink was told until everything wanted has come, in any order.
func expect(t *testing.T, told <-chan string, want ...string) {
	t.Helper()
	missing := map[string]bool{}
	for _, w := range want {
		missing[w] = true
	}
	deadline := time.After(20 * time.Second)
	for len(missing) > 0 {
		select {
		case got := <-told:
			delete(missing, got)
		case <-deadline:
			t.Fatalf("not told in time: %v", missing)
		}
	}
}

// TestStory is the README's: subscribe, send, see the statuses, let the customer answer; then the same after a restart.
func TestStory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	n := start(t, dir, nil)
	endpoint, told := sink(t)
	topic := "arn:aws:sns:us-east-1:000000000000:whatsapp-events"
	n.call(t, "sns", url.Values{"Action": {"Subscribe"}, "Version": {"2010-03-31"}, "TopicArn": {topic}, "Protocol": {"http"}, "Endpoint": {endpoint}})
	waitFor(t, "confirmation", func() bool {
		list := n.call(t, "sns", url.Values{"Action": {"ListSubscriptionsByTopic"}, "Version": {"2010-03-31"}, "TopicArn": {topic}})
		return strings.Contains(list, endpoint) && !strings.Contains(list, "PendingConfirmation")
	})

	id := n.send(t, template)
	expect(t, told, "accepted "+id, "sent "+id, "delivered "+id)

	n.control(t, http.MethodPost, "/sim/v1/customers/"+sim.Diego+"/messages", `{"phone_number_id":"`+sim.NumberID+`","message":{"type":"text","text":{"body":"Hi"}}}`)
	expect(t, told, "received")

	reply := n.send(t, `{"messaging_product":"whatsapp","to":"+14255550150","text":{"body":"Hello Diego"}}`)
	expect(t, told, "delivered "+reply)
	n.stop()

	again := start(t, dir, nil)
	last := again.send(t, template)
	expect(t, told, "delivered "+last)
}

// control calls the simulator's control API.
func (n *node) control(t *testing.T, method, path, body string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+n.MetaAddr()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode/100 != 2 {
		t.Fatalf("%s %s: %d %s %v", method, path, res.StatusCode, b, err)
	}
	return string(b)
}

// waitFor asks again until something that another goroutine does has happened.
func waitFor(t *testing.T, what string, happened func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(20 * time.Second)
	for !happened() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("no %s in time", what)
		}
	}
}

// TestRemoteSNS publishes through the AWS SDK, with another node's topics as the SNS-compatible service.
func TestRemoteSNS(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", config.DevAccessKeyID)
	t.Setenv("AWS_SECRET_ACCESS_KEY", config.DevSecretAccessKey.Reveal())
	topics := start(t, t.TempDir(), nil)
	n := start(t, t.TempDir(), func(c *config.Config) { c.SNS.Endpoint = "http://" + topics.APIAddr() })
	endpoint, told := sink(t)
	topic := "arn:aws:sns:us-east-1:000000000000:whatsapp-events"
	topics.call(t, "sns", url.Values{"Action": {"Subscribe"}, "Version": {"2010-03-31"}, "TopicArn": {topic}, "Protocol": {"http"}, "Endpoint": {endpoint}})
	waitFor(t, "confirmation", func() bool {
		list := topics.call(t, "sns", url.Values{"Action": {"ListSubscriptionsByTopic"}, "Version": {"2010-03-31"}, "TopicArn": {topic}})
		return !strings.Contains(list, "PendingConfirmation")
	})
	id := n.send(t, template)
	expect(t, told, "accepted "+id, "sent "+id, "delivered "+id)
}

// TestFailureIsTold follows a message that WhatsApp refuses, and one that nobody takes in time.
// With an endpoint of EventBridge, every event goes to the bus there, beside the topic.
func TestRemoteEventBridge(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIAENV")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "x")
	put := make(chan string, 16)
	remote := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			Entries []struct{ Source, DetailType, Detail, EventBusName string }
		}
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			t.Error(err)
		}
		var results []string
		for _, e := range in.Entries {
			if e.Source != "shop.whatsapp" || e.EventBusName != "orders" || !strings.Contains(e.Detail, `"originationPhoneNumber":"15550100001"`) {
				t.Errorf("%+v", e)
			}
			results = append(results, `{"EventId":"e"}`)
			put <- e.DetailType
		}
		fmt.Fprintf(w, `{"FailedEntryCount":0,"Entries":[%s]}`, strings.Join(results, ","))
	}))
	t.Cleanup(remote.Close)
	n := start(t, t.TempDir(), func(c *config.Config) {
		c.EventBridge.Endpoint, c.EventBridge.Source, c.EventBridge.Bus = remote.URL, "shop.whatsapp", "orders"
	})
	endpoint, told := sink(t)
	n.subscribe(t, endpoint)
	id := n.send(t, template)
	expect(t, put, "WhatsApp Message Handover Succeeded", "WhatsApp Message Sent", "WhatsApp Message Delivered")
	expect(t, told, "accepted "+id, "sent "+id, "delivered "+id)
}

func TestFailureIsTold(t *testing.T) {
	t.Parallel()
	n := start(t, t.TempDir(), func(c *config.Config) {
		c.Handover.RetryWindow, c.Handover.BackoffMin, c.Handover.BackoffMax = 50*time.Millisecond, 10*time.Millisecond, 20*time.Millisecond
	})
	refused := n.send(t, strings.Replace(template, "hello_world", "no_such_template", 1))
	n.waitState(t, refused, "failed", 132001)

	n.control(t, http.MethodPut, "/sim/v1/faults", `{"rules":[{"match":{"edge":"messages"},"when":"always","effect":{"code":131000,"http_status":500}}]}`)
	dropped := n.send(t, template)
	n.waitState(t, dropped, "dropped", 131000)
}

// waitState waits until a message has come to an end, for a reason unless code is 0.
func (n *node) waitState(t *testing.T, id, state string, code int) {
	t.Helper()
	waitFor(t, state, func() bool {
		st, ok, err := n.parts.db.Lookup(t.Context(), config.DevAccountID, id)
		if err != nil || !ok {
			t.Fatalf("look up: %v, %v", ok, err)
		}
		if string(st.State) != state {
			return false
		}
		if code == 0 {
			return true
		}
		for _, step := range st.Timeline {
			for _, f := range step.Failures {
				if f.Code == code {
					return true
				}
			}
		}
		t.Fatalf("%s without its reason: %+v", state, st)
		return false
	})
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { taken.Close() })
	running := t.TempDir()
	start(t, running, nil)
	for name, tc := range map[string]struct {
		change func(*config.Config)
		want   string
	}{
		"a port in use":      {func(c *config.Config) { c.Listen = taken.Addr().String() }, "in use"},
		"data in use":        {func(c *config.Config) { c.Data = running }, "another waxwing process"},
		"a data file":        {func(c *config.Config) { c.Data = "/dev/null/x" }, "not a directory"},
		"an unknown limit":   {func(c *config.Config) { c.Limits = map[string]float64{"SendPigeon": 1} }, "no operation of that name"},
		"a bad upstream URL": {func(c *config.Config) { c.Meta.BaseURL = "::" }, "URL"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := config.Dev(t.TempDir())
			cfg.Listen, cfg.MetaListen, cfg.OpsListen = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
			tc.change(&cfg)
			_, err := New(t.Context(), Options{Config: cfg, Dev: true, Logger: slog.New(slog.DiscardHandler)})
			if err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("New = %v, want one line about %q", err, tc.want)
			}
		})
	}
}

func TestServeRefusesDevelopmentData(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	start(t, dir, nil).stop()
	cfg := config.Default()
	cfg.Data, cfg.Listen, cfg.OpsListen = dir, "127.0.0.1:0", ""
	if _, err := New(t.Context(), Options{Config: cfg, Logger: slog.New(slog.DiscardHandler)}); err == nil || !strings.Contains(err.Error(), "published access key") {
		t.Errorf("New = %v, want a refusal", err)
	}
}

// An SDK that got no answer makes the same call again, with the same invocation id: WhatsApp gets the message once.
func TestRepeatedCallSendsOnce(t *testing.T) {
	t.Parallel()
	n := start(t, t.TempDir(), nil)
	n.api.Header = http.Header{"Amz-Sdk-Invocation-Id": {"8f2c0d0e-5b8e-4f0e-9d3b-0f3d0a4d7c11"}}
	first := n.send(t, template)
	if again := n.send(t, template); again != first {
		t.Errorf("the repeated call was given %s, the first %s", again, first)
	}
	n.waitState(t, first, "delivered", 0)
	other := n.App.o.Config
	key, err := CreateAccount(t.Context(), other, identity.Account{Alias: "other"})
	if err != nil {
		t.Fatal(err)
	}
	stranger := *n.api
	stranger.Key = key
	if res := stranger.Do(t, http.MethodPost, "/v1/whatsapp/send", map[string]string{"originationPhoneNumberId": seededPhone, "metaApiVersion": "v20.0",
		"message": base64.StdEncoding.EncodeToString([]byte(template))}); res.Status != http.StatusNotFound || strings.Contains(string(res.Body), first) {
		t.Errorf("the same invocation of another account: %d %s", res.Status, res.Body)
	}
	n.api.Header = http.Header{"Amz-Sdk-Invocation-Id": {"another"}}
	if next := n.send(t, template); next == first {
		t.Error("another call was given the first one's id")
	}
	chat := n.control(t, http.MethodGet, "/sim/v1/messages?biz_opaque_callback_data="+first, "")
	if got := strings.Count(chat, `"times_ms"`); got != 1 {
		t.Errorf("WhatsApp has the message %d times: %s", got, chat)
	}
}

func TestCreateAccountBesideServer(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	n := start(t, dir, nil)
	cfg := config.Dev(dir)
	key, err := CreateAccount(t.Context(), cfg, identity.Account{Alias: "second"})
	if err != nil {
		t.Fatal(err)
	}
	other := *n.api
	other.Key = key
	res := other.Do(t, http.MethodGet, "/v1/whatsapp/waba/list", nil)
	if res.Status != http.StatusOK || strings.Contains(string(res.Body), "1200000000000001") {
		t.Errorf("list with the new key: %d %s", res.Status, res.Body)
	}
	arn := (account.Scope{Partition: "aws", Region: "us-east-1", AccountID: config.DevAccountID}).ARN(account.KindWABA, devKey(1))
	res = other.Do(t, http.MethodGet, "/v1/whatsapp/waba/details?id="+url.QueryEscape(arn), nil)
	if res.Status != http.StatusNotFound {
		t.Errorf("another account's WABA: %d %s", res.Status, res.Body)
	}
	if fmt.Sprint(key) == "" || strings.Contains(fmt.Sprintf("%+v", key), key.Secret.Reveal()) {
		t.Error("the key prints its secret")
	}
}
