package sim

import (
	"cmp"
	"strings"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/sim/graph"
)

// Bounds of what is remembered.
const (
	historyLimit = 50_000  // messages; up to twice as many between trims
	threadLimit  = 200_000 // conversations per number before idle ones are forgotten
	requestLimit = 500     // calls shown by GET /sim/v1/requests
	mediaLimit   = 256 << 20

	mediaDiskLimit = 4 << 30
)

// state is everything that a reset throws away. Sim.mu guards it.
type state struct {
	accounts  map[string]*account
	numbers   map[string]*number
	order     []*account // as in the world
	templates map[string]*template
	tokens    map[string]*Token
	authCodes map[string]*authCode // sign-ups whose code was not exchanged yet
	customers map[string]*customer // by wa_id; only those somebody described or who wrote
	scoped    map[string]*customer // the same by business-scoped id
	media     library
	flows     map[string]*flow
	datasets  map[string]*dataset
	voices    callBook

	messages []*message // oldest first
	byWamid  map[string]*message
	accepted uint64 // messages accepted from the business, ever
	received uint64 // messages customers wrote, ever
	statuses [failed + 1]uint64

	requests [requestLimit]request
	calls    uint64

	settings Settings
	rules    []*Rule
	ids      source // of messages and media
	traces   source // of replies, apart so that reads do not shift the ids of messages
	chance   source // of faults
	timers   timers
	reach    reach
	market   map[string][]int64 // marketing messages per user, while there is a cap
}

type account struct {
	Account
	subscribed bool
	callback   string // override of the app's address; "" is none
	numbers    []*number
	templates  []*template
	shelf
	flows   []*flow
	dataset *dataset // nil until one was made
	calls   gauge

	standing standing
}

type number struct {
	Number
	account              *account
	digits               string
	callback             string // override of the account's address; "" is none
	publicKey, keyStatus string // for the endpoints of Flows; "" without
	rate                 bucket
	threads              map[string]*thread
	setup                setup
	month                int // of free; year*12+month
	free                 int // service messages delivered for nothing this month
}

type customer struct {
	Customer
	UserID  string
	contact []byte // element of contacts[] in webhooks
}

// thread is what happened between one number and one user.
type thread struct {
	written  int64 // last message of the user, unix nanoseconds; 0 is never
	referred int64 // last message that came from an ad
	freeTill int64 // end of a free-entry-point window
	debt     pair
	seen     uint64 // serial of the user's newest message that the business marked read
}

func (t *thread) open(now int64) bool { return t.written > 0 && now-t.written < int64(24*time.Hour) }

func (t *thread) idle(now int64) bool {
	return !t.open(now) && t.debt.repaid <= now && t.freeTill <= now && now-t.referred > int64(24*time.Hour)
}

// newState builds the state of a world.
func newState(w World, settings Settings) *state {
	st := &state{
		accounts: map[string]*account{}, numbers: map[string]*number{}, templates: map[string]*template{},
		tokens: map[string]*Token{}, authCodes: map[string]*authCode{}, customers: map[string]*customer{}, scoped: map[string]*customer{},
		byWamid: map[string]*message{}, settings: settings, reach: reach{}, market: map[string][]int64{}, media: library{items: map[string]*media{}},
	}
	st.flows, st.datasets = map[string]*flow{}, map[string]*dataset{}
	st.reseed(settings.Seed)
	for _, a := range w.Accounts {
		st.addAccount(a)
	}
	for _, t := range w.Tokens {
		st.tokens[t.Value] = &t
	}
	for _, c := range w.Customers {
		st.describe(w.Portfolio, c)
	}
	return st
}

func (st *state) reseed(seed uint64) {
	st.settings.Seed = seed
	st.ids = source{seed: seed}
	st.traces = source{seed: seed ^ 0x7472616365}
	st.chance = source{seed: seed ^ 0x6368616e6365}
}

func (st *state) addAccount(w Account) {
	w.Currency, w.Country = cmp.Or(w.Currency, "USD"), cmp.Or(w.Country, "US")
	a := &account{Account: w, subscribed: w.Subscribed}
	for _, n := range w.Numbers {
		p := &number{Number: n, account: a, digits: digitsOnly(n.Phone), threads: map[string]*thread{}}
		p.defaults()
		a.numbers = append(a.numbers, p)
		st.numbers[n.ID] = p
	}
	for _, t := range w.Templates {
		t.Status, t.Format = cmp.Or(t.Status, statusApproved), cmp.Or(t.Format, "POSITIONAL")
		st.addTemplate(a, t, nil)
	}
	st.accounts[w.ID] = a
	st.order = append(st.order, a)
}

// defaults fills in the usual words.
func (n *Number) defaults() {
	n.Status, n.Quality = cmp.Or(n.Status, "CONNECTED"), cmp.Or(n.Quality, "GREEN")
	n.Tier, n.Throughput = cmp.Or(n.Tier, "TIER_UNLIMITED"), cmp.Or(n.Throughput, ThroughputStandard)
	n.Mode, n.NameStatus = cmp.Or(n.Mode, "LIVE"), cmp.Or(n.NameStatus, "APPROVED")
}

// template finds a translation by name; nil when there is none.
func (a *account) template(name, language string) *template {
	for _, t := range a.templates {
		if t.Name == name && t.Language == language {
			return t
		}
	}
	return nil
}

func (n *number) perSecond() int {
	switch n.Throughput {
	case ThroughputHigh:
		return highRate
	case ThroughputCoexistence:
		return coexistenceRate
	}
	return standardRate
}

// thread returns the conversation with a user, starting it when needed and forgetting idle ones when there are too many.
func (n *number) thread(waID string, now int64) *thread {
	t := n.threads[waID]
	if t != nil {
		return t
	}
	if len(n.threads) >= threadLimit {
		for id, t := range n.threads {
			if t.idle(now) {
				delete(n.threads, id)
			}
		}
		for id := range n.threads { // most of them busy: forget some, memory comes first
			if len(n.threads) < threadLimit*9/10 { // far enough that the next sweep is not at once
				break
			}
			delete(n.threads, id)
		}
	}
	t = &thread{}
	n.threads[waID] = t
	return t
}

// customer returns the user behind a canonical number. A stranger is made up on the spot and not kept.
func (s *Sim) customer(waID string) *customer {
	if c := s.st.customers[waID]; c != nil {
		return c
	}
	return newCustomer(s.world.Portfolio, Customer{WAID: waID, Name: "User " + waID[max(0, len(waID)-4):]})
}

// describe adds or replaces a user.
func (st *state) describe(portfolio string, w Customer) *customer {
	c := newCustomer(portfolio, w)
	st.keep(c)
	return c
}

func (st *state) keep(c *customer) { st.customers[c.WAID], st.scoped[c.UserID] = c, c }

func newCustomer(portfolio string, w Customer) *customer {
	c := &customer{Customer: w, UserID: scopedID(portfolio, w.WAID)}
	b := append(make([]byte, 0, 96), `{"profile":{"name":`...)
	b = graph.AppendString(b, w.Name)
	b = append(b, '}')
	if !w.HidesNumber {
		b = graph.AppendString(append(b, `,"wa_id":`...), w.WAID)
	}
	b = graph.AppendString(append(b, `,"user_id":`...), c.UserID)
	c.contact = append(b, '}')
	return c
}

// remember files a message and lets the oldest go when there are too many.
func (st *state) remember(m *message) {
	if len(st.messages) >= 2*historyLimit {
		for _, old := range st.messages[:historyLimit] {
			delete(st.byWamid, old.wamid)
		}
		st.messages = append(make([]*message, 0, 2*historyLimit), st.messages[historyLimit:]...)
	}
	st.messages = append(st.messages, m)
	st.byWamid[m.wamid] = m
}

// message returns a message by the id a client gave, nil when it is not known.
func (st *state) message(id string) *message { return st.byWamid[strings.TrimSpace(id)] }
