package sim

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/sim/graph"
)

// maxCall bounds the body of a Graph call; no message comes near it.
const maxCall = 1 << 20

// maxFlowCall leaves room for a Flow's 10 MB of JSON, escaped inside another JSON text.
const maxFlowCall = 24 << 20

// bodyLimit bounds the body of a call to a path.
func bodyLimit(path string) int64 {
	if strings.HasSuffix(path, "/flows") || strings.HasSuffix(path, "/assets") {
		return maxFlowCall
	}
	return maxCall
}

// toldTimeout bounds how long a reply waits for the webhook that should come before it.
const toldTimeout = 10 * time.Second

// call is one request to the Graph API on its way through.
type call struct {
	r         *http.Request
	version   string // as served
	path      string // without the version
	edge      string
	id        string // of the node; "" at the root
	node      nodeKind
	number    *number // the node itself, or nil
	account   *account
	template  *template
	media     *media
	flow      *flow
	dataset   *dataset
	session   *session // a resumable upload
	file      *upload  // sent with the call
	params    graph.Params
	raw       []byte       // the body as JSON
	malformed *graph.Error // what is wrong with the body, told when its turn comes
	secret    string       // access token
	token     *Token
	effect    *Effect // fault that strikes this call, or nil
	now       int64
	usage     int // management calls of the account within the hour

	message *message        // accepted by this call
	told    <-chan struct{} // wait for this before answering; nil for nothing
}

// graphAPI serves everything under the Graph API.
func (s *Sim) graphAPI(w http.ResponseWriter, r *http.Request) {
	c := &call{r: r}
	if err := s.read(c); err != nil {
		switch m, malformed := errors.AsType[*graph.Error](err); {
		case errors.Is(err, graph.ErrTooLarge):
			s.answer(w, c, nil, &graph.Error{HTTP: http.StatusRequestEntityTooLarge, Code: 100, Message: "(#100) The request body is too large"})
			return
		case malformed:
			c.malformed = m
		default: // the client went away
			panic(http.ErrAbortHandler)
		}
	}
	version, segments := splitPath(r.URL.Path)
	if r.Method == http.MethodGet && len(segments) == 3 && segments[1] == "message_templates" {
		segments = segments[2:] // how @kapso/whatsapp-cloud-api reads a template
	}
	c.version = servedVersion(version)
	c.path = "/" + strings.Join(segments, "/")

	s.mu.Lock()
	c.now = s.now().UnixNano()
	s.resolve(c, segments)
	c.effect = s.st.fault(r.Method, c.edge, c.numberID(), c.recipient())
	s.mu.Unlock()

	value, refusal := s.struck(c, func() (any, *graph.Error) { return s.do(c, segments) })
	s.answer(w, c, value, refusal)
}

// struck runs a call the way its fault wants: late, refused, or with the connection cut before or after it took effect.
func (s *Sim) struck(c *call, do func() (any, *graph.Error)) (any, *graph.Error) {
	e := c.effect
	if e == nil {
		return do()
	}
	if e.Cut != "after" {
		s.wait(time.Duration(e.DelayMS)*time.Millisecond, nil)
	}
	if e.Cut == "before" {
		s.record(c, 0, nil, "before")
		panic(http.ErrAbortHandler)
	}
	if refusal := e.refusal(s.clock()); refusal != nil {
		return nil, refusal
	}
	value, refusal := do()
	if c.told != nil {
		s.wait(toldTimeout, c.told)
	}
	if e.Cut == "after" {
		s.record(c, 0, refusal, "after")
		s.wait(time.Duration(e.DelayMS)*time.Millisecond, nil)
		panic(http.ErrAbortHandler)
	}
	return value, refusal
}

// wait lasts d, or until something is told; a nil channel never tells. It goes on when the client gives up, since Meta would
// not notice either, but it ends with Run.
func (s *Sim) wait(d time.Duration, told <-chan struct{}) {
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-told:
	case <-s.done:
	}
}

func (s *Sim) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now()
}

// do finds the row and runs it behind the checks that all rows share: token, visibility, permission, rate.
func (s *Sim) do(c *call, segments []string) (any, *graph.Error) {
	s.mu.Lock()
	locked := true
	defer func() {
		if locked {
			s.mu.Unlock()
		}
	}()
	c.now = s.now().UnixNano()
	if c.path == "/oauth/access_token" { // the one call without a token
		return exchange(s, c)
	}
	s.resolve(c, segments) // again: a delay or a reset may have come between
	if err := s.authenticate(c); err != nil {
		return nil, err
	}
	row, err := s.row(c, segments)
	if err != nil {
		return nil, err
	}
	if err := s.permit(c, row); err != nil {
		return nil, err
	}
	if row.slow == nil {
		return row.do(s, c)
	}
	locked = false
	s.mu.Unlock()
	return row.slow(s, c)
}

// resolve finds the node and the edge a path names; what does not exist stays nil.
func (s *Sim) resolve(c *call, segments []string) {
	c.node, c.id, c.edge = nodeRoot, "", ""
	c.flow, c.dataset = nil, nil
	c.number, c.account, c.template, c.media, c.session = nil, nil, nil, nil, nil
	if len(segments) == 0 {
		return
	}
	first := segments[0]
	if strings.HasPrefix(first, "upload:") {
		c.node, c.id, c.edge, c.session = nodeUpload, first, "upload", s.st.media.session(first, c.now)
		return
	}
	if first == "" || first[0] < '0' || first[0] > '9' {
		c.edge = first
		return
	}
	c.id = first
	if len(segments) > 1 {
		c.edge = segments[1]
	}
	switch {
	case first == s.o.AppID:
		c.node = nodeApp
	case s.st.numbers[first] != nil:
		c.node, c.number = nodeNumber, s.st.numbers[first]
		c.account = c.number.account
	case s.st.accounts[first] != nil:
		c.node, c.account = nodeAccount, s.st.accounts[first]
	case s.st.templates[first] != nil:
		c.node, c.template = nodeTemplate, s.st.templates[first]
		c.account = c.template.account
	case s.st.flows[first] != nil:
		c.node, c.flow = nodeFlow, s.st.flows[first]
		c.account = c.flow.account
	case s.st.datasets[first] != nil:
		c.node, c.dataset = nodeDataset, s.st.datasets[first]
		c.account = c.dataset.account
	default:
		if m := s.st.media.get(first, c.now); m != nil {
			c.node, c.media, c.account = nodeMedia, m, m.number.account
		}
	}
}

// row finds the edge's row, or says in Meta's words that there is none.
func (s *Sim) row(c *call, segments []string) (*edge, *graph.Error) {
	if c.id != "" && !c.visible() {
		return nil, graph.UnknownObject(c.r.Method, c.id)
	}
	most, rest := 1, c.path
	if c.id != "" {
		most, rest = 2, strings.TrimPrefix(c.path, "/"+c.id)
	}
	if len(segments) > most || (c.edge != "" && !isEdge(c.node, c.edge)) || c.id == "" && c.edge == "" {
		return nil, graph.UnknownPath(rest)
	}
	if row := edgeIndex[edgeKey{c.r.Method, c.node, c.edge}]; row != nil {
		return row, nil
	}
	return nil, graph.UnknownObject(c.r.Method, c.id)
}

// visible reports whether the node exists and the token was granted it.
func (c *call) visible() bool {
	switch c.node {
	case nodeApp:
		return true
	case nodeUpload:
		return c.session != nil && c.session.owner == c.token.UserID
	default:
		return c.account != nil && c.token.sees(c.account.ID)
	}
}

func (c *call) numberID() string {
	if c.number != nil {
		return c.number.ID
	}
	return ""
}

// recipient is the canonical number a message is for, for matching faults; "" when the call has none.
func (c *call) recipient() string {
	to, _ := c.params.String("to")
	if to == "" || c.number == nil {
		return ""
	}
	digits, err := dial(to, c.number.digits)
	if err != nil {
		return digitsOnly(to)
	}
	return canonical(digits)
}

// splitPath cuts a path into segments and takes the version off the front; without one the version is 0, the oldest.
func splitPath(path string) (version int, segments []string) {
	segments = strings.Split(strings.Trim(path, "/"), "/")
	if n := versionNumber(segments[0]); n > 0 {
		version, segments = n, segments[1:]
	}
	if len(segments) == 1 && segments[0] == "" {
		segments = nil
	}
	return version, segments
}

// answer files the call and renders the outcome with the headers Graph sends.
func (s *Sim) answer(w http.ResponseWriter, c *call, value any, refusal *graph.Error) {
	status := http.StatusOK
	if refusal != nil {
		status = refusal.HTTP
	}
	trace := s.record(c, status, refusal, "")
	if refusal != nil {
		value = refusal.Envelope(trace)
	}
	h := w.Header()
	if refusal != nil && c.effect != nil && c.effect.gateway() {
		h.Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(status)
		_, _ = w.Write([]byte("<html><head><title>Error</title></head><body>Sorry, something went wrong.</body></html>"))
		return
	}
	h["Content-Type"] = []string{"application/json; charset=UTF-8"}
	h["Facebook-Api-Version"] = []string{c.version}
	h["X-Fb-Request-Id"] = []string{trace}
	h["X-Fb-Trace-Id"] = []string{trace[1:12]}
	h["X-Fb-Rev"] = []string{"1030000001"}
	h["X-Fb-Debug"] = []string{trace + "=="}
	h["X-App-Usage"] = []string{`{"call_count":0,"total_cputime":0,"total_time":0}`}
	if c.account != nil {
		h["X-Business-Use-Case-Usage"] = []string{c.businessUsage()}
	}
	if refusal != nil && (status == http.StatusUnauthorized || status == http.StatusBadRequest) {
		kind := "invalid_request"
		if status == http.StatusUnauthorized {
			kind = "invalid_token"
		}
		h.Set("Www-Authenticate", `OAuth "Facebook Platform" "`+kind+`" `+strconv.Quote(refusal.Message))
	}
	if refusal != nil && status == http.StatusTooManyRequests {
		h.Set("Retry-After", "1")
	}
	body := graph.Marshal(value)
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// businessUsage shows the share of the hour's management calls that is used up, in percent.
func (c *call) businessUsage() string {
	used := min(100, c.usage*100/managementLimit)
	minutes := 0
	if c.usage > managementLimit {
		minutes = 60
	}
	return `{"` + c.account.ID + `":[{"type":"whatsapp","call_count":` + strconv.Itoa(used) +
		`,"total_cputime":0,"total_time":0,"estimated_time_to_regain_access":` + strconv.Itoa(minutes) + `}]}`
}
