package sim

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/waxwing-messaging/waxwing/internal/sim/courier"
)

// Options start a simulator. The zero value is the development world without webhooks.
type Options struct {
	WebhookURL  string // the app's callback; "" sends no webhooks until one is set
	AppID       string // default AppID; likewise the next two
	AppSecret   string // signs webhooks
	VerifyToken string // proves the handshake
	PublicURL   string // where clients reach this simulator, for media addresses; default http://127.0.0.1:7767
	// Seed makes ids and chances repeat from start to start. 0 takes one from the clock, so that a restarted simulator does
	// not hand out ids an app has already stored.
	Seed   uint64
	Logger *slog.Logger     // default: silent
	Client *http.Client     // delivers webhooks; default: one of its own
	Now    func() time.Time // default time.Now
	World  World            // default SeededWorld()
}

// Sim is a simulated WhatsApp. All methods are safe for concurrent use.
type Sim struct {
	o       Options
	world   World
	log     *slog.Logger
	courier *courier.Courier
	wake    chan struct{}
	done    chan struct{} // closed when Run ends, so that artificial delays end too
	ended   sync.Once

	mu     sync.Mutex
	st     *state
	offset time.Duration // of the clock; a copy of the setting
}

// New returns a simulator. It starts no goroutine: until Run, nothing is delivered and no message gets past accepted.
func New(o Options) *Sim {
	defaultTo(&o.AppID, AppID)
	defaultTo(&o.AppSecret, AppSecret)
	defaultTo(&o.VerifyToken, VerifyToken)
	defaultTo(&o.PublicURL, "http://127.0.0.1:7767")
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if len(o.World.Accounts) == 0 {
		o.World = SeededWorld()
	}
	s := &Sim{o: o, world: o.World, log: o.Logger, wake: make(chan struct{}, 1), done: make(chan struct{})}
	s.courier = courier.New(courier.Options{AppSecret: o.AppSecret, VerifyToken: o.VerifyToken, Client: o.Client,
		Logger: o.Logger, Now: o.Now})
	s.Reset()
	return s
}

func defaultTo(s *string, value string) {
	if *s == "" {
		*s = value
	}
}

// Reset goes back to the seed: the world, settings, faults, messages and webhooks of the start.
func (s *Sim) Reset() {
	settings := defaultSettings()
	settings.WebhookURL, settings.Seed = s.o.WebhookURL, s.o.Seed
	if settings.Seed == 0 {
		settings.Seed = uint64(s.o.Now().UnixNano())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.st, s.offset = newState(s.world, settings), 0
	s.courier.Clear()
	s.courier.Configure(settings.courier())
	s.courier.SetApp(settings.WebhookURL)
}

// now is the simulator's clock.
func (s *Sim) now() time.Time { return s.o.Now().Add(s.offset) }

// poke makes Run look again.
func (s *Sim) poke() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Run moves messages along and delivers webhooks until ctx ends; then it returns nil. What was not delivered is lost.
func (s *Sim) Run(ctx context.Context) error {
	defer s.ended.Do(func() { close(s.done) })
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.courier.Run(ctx) })
	g.Go(func() error { return s.tick(ctx) })
	return g.Wait()
}

func (s *Sim) tick(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.wake:
		case <-timer.C:
		}
		timer.Reset(s.fire())
	}
}
