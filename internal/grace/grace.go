// Package grace lets work that has begun outlive the order to stop, but not for ever.
package grace

import (
	"context"
	"time"
)

// Period is how long begun work may go on after the process was told to stop. Stopping takes at most 10 seconds in all: up to
// 2 for API requests that are being answered, this, and the rest for closing the store.
const Period = 6 * time.Second

// Extend returns a context that ends Period after ctx does, with none of its deadlines. Call cancel when the work is over.
func Extend(ctx context.Context) (context.Context, context.CancelFunc) {
	extended, end := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		t := time.AfterFunc(Period, end)
		context.AfterFunc(extended, func() { t.Stop() })
	})
	return extended, func() { stop(); end() }
}
