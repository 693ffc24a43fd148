package chaos

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/bench"
)

const (
	senders   = 8
	sendEvery = 90 * time.Millisecond // and sender: together a little more than a number may send, so that a queue builds up
	writers   = 4
	saysEvery = 200 * time.Millisecond
	retryIn   = 20 * time.Millisecond // after the node was not there
	phoneID   = "phone-number-id-00000000000000000000000000000001"
	metaID    = "1100000000000001" // Meta's id of the number
	doomed    = 15                 // messages of a season for recipients with a fate: a lane on which nothing gets through slows down
)

// start lets applications send and customers write until ctx ends.
func start(ctx context.Context, w *world, s season, round int) *sync.WaitGroup {
	var traffic sync.WaitGroup
	for i := range senders {
		traffic.Go(func() {
			for n := 0; wait(ctx, sendEvery); n++ {
				to := fmt.Sprintf("4479%02d%02d%05d", round%100, i, n)
				if s.doomed && i == 0 && n < doomed {
					to = fates[n%len(fates)]
				}
				send(ctx, w, to, fmt.Sprintf("%s-%d-%d-%d", s.name, round, i, n), n%2 == 0)
			}
		})
	}
	for i := range writers {
		traffic.Go(func() {
			for wait(ctx, saysEvery) {
				if wamid, err := w.sim.customerWrites(ctx, fmt.Sprintf("1425555%04d", i)); err == nil {
					w.books.wrote(wamid)
				}
			}
		})
	}
	return &traffic
}

// send makes a call the way applications do: some try again, as the same call, until they have an answer; the others give up. Only
// what was acknowledged goes on the books.
func send(ctx context.Context, w *world, to, invocation string, stubborn bool) {
	message := fmt.Sprintf(`{"messaging_product":"whatsapp","to":"+%s","type":"template","template":{"name":"hello_world","language":{"code":"en_US"}}}`, to)
	body := bench.Compose(nil, phoneID, []byte(message))
	for {
		id, err := w.client.Send(ctx, body, invocation)
		if err == nil {
			w.books.acknowledged(id)
			return
		}
		if refusal, ok := errors.AsType[*bench.Refusal](err); ok {
			w.books.refused(refusal)
		}
		if !stubborn || !wait(ctx, retryIn) {
			return
		}
	}
}
