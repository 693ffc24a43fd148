package dispatch

import (
	"log/slog"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/message"
)

func levelOf(v Verdict) slog.Level {
	switch v {
	case Taken:
		return slog.LevelDebug
	default:
		return slog.LevelWarn
	}
}

// attrs are the one wide record of an attempt. Meta's details can quote what the sender wrote, so they are left out.
func attrs(j *message.Job, o Outcome, took time.Duration) []slog.Attr {
	a := []slog.Attr{slog.String("message_id", j.ID), slog.String("lane", j.PhoneKey), slog.Int("attempt", j.Attempts),
		slog.String("verdict", string(o.Verdict)), slog.Duration("took", took)}
	if o.Failure.Code != 0 {
		a = append(a, slog.Int("code", o.Failure.Code), slog.String("title", o.Failure.Title))
	}
	return a
}
