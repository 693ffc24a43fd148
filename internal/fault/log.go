package fault

import (
	"context"
	"log/slog"
)

// Log writes down an error that goes no further. Two kinds of errors are no news: what comes of ctx having ended, and what is
// Unavailable, since whoever is not available has said so itself, once, and not for everything that is refused.
func Log(ctx context.Context, log *slog.Logger, doing string, err error, about ...any) {
	if ctx.Err() == nil && !Is(err, Unavailable) {
		log.Error(doing, append(about, "error", err)...)
	}
}
