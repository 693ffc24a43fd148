package sim

import (
	"testing"
	"time"
)

func TestStatuses(t *testing.T) {
	t.Parallel()
	bubble(t, Options{}, func(f *fixture) {
		f.writes(Diego, hi)
		id := f.send(`{"messaging_product":"whatsapp","to":"+1 (425) 555-0150","biz_opaque_callback_data":"job=1","text":{"body":"Hello"}}`)
		after(time.Second)
		list := f.app.statuses(t)
		if got, want := names(list), "sent delivered"; got != want {
			t.Fatalf("statuses = %q, want %q", got, want)
		}
		for _, s := range list {
			if s.ID != id || s.Recipient != Diego || s.Opaque != "job=1" {
				t.Errorf("status %+v is not about %s to %s with the opaque data", s, id, Diego)
			}
		}
	})
}
