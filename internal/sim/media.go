package sim

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/sim/graph"
)

// Lives of media, and of the addresses their bytes are fetched from.
const (
	inboundMediaLife  = 7 * 24 * time.Hour
	uploadedMediaLife = 30 * 24 * time.Hour
	mediaURLLife      = 5 * time.Minute
)

// lookaside is the path under which this simulator plays Meta's media host.
const lookaside = "/whatsapp_business/attachments/"

// media is a file that a customer sent or the business uploaded.
type media struct {
	blob
	id       string
	number   *number // whose conversation it belongs to
	mime     string
	filename string
	uploaded bool // by the business
	expires  int64
}

// library keeps media up to a total size in memory and on disk; the oldest go first.
type library struct {
	items    map[string]*media
	order    []*media
	bytes    int64 // in memory
	disk     int64
	sessions map[string]*session // resumable uploads, by the address without its signature
	begun    []string            // oldest first
}

func (l *library) get(id string, now int64) *media {
	m := l.items[id]
	if m == nil || now >= m.expires {
		return nil
	}
	return m
}

func (l *library) add(m *media) {
	l.items[m.id] = m
	l.order = append(l.order, m)
	l.count(m, 1)
	for (l.bytes > mediaLimit || l.disk > mediaDiskLimit) && len(l.order) > 1 {
		l.remove(l.order[0])
	}
}

func (l *library) count(m *media, sign int64) {
	if m.file != nil {
		l.disk += sign * m.size
	} else {
		l.bytes += sign * int64(len(m.data))
	}
}

func (l *library) remove(m *media) {
	if l.items[m.id] != m {
		return
	}
	delete(l.items, m.id)
	l.count(m, -1)
	for i, o := range l.order {
		if o == m {
			l.order = append(l.order[:i], l.order[i+1:]...)
			return
		}
	}
}

// address is where the bytes of a medium can be fetched for the next five minutes, with a token.
func (s *Sim) address(m *media, base string, now int64) string {
	ext := strconv.FormatInt(now/int64(time.Second)+int64(mediaURLLife/time.Second), 10)
	return base + lookaside + "?mid=" + m.id + "&ext=" + ext + "&hash=" + s.mediaHash(m.id, ext)
}

func (s *Sim) mediaHash(id, ext string) string {
	h := hmac.New(sha256.New, []byte(s.o.AppSecret))
	h.Write([]byte(id + "\n" + ext))
	return "AR" + base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:18])
}

func getMedia(s *Sim, c *call) (any, *graph.Error) {
	if err := ownMedia(c); err != nil {
		return nil, err
	}
	m := c.media
	scheme := "http://"
	if c.r.TLS != nil {
		scheme = "https://"
	}
	return object{"messaging_product": "whatsapp", "id": m.id, "mime_type": m.mime, "sha256": hex.EncodeToString(m.sum[:]),
		"file_size": strconv.FormatInt(m.size, 10), "url": s.address(m, scheme+c.r.Host, c.now)}, nil
}

func deleteMedia(s *Sim, c *call) (any, *graph.Error) {
	if err := ownMedia(c); err != nil {
		return nil, err
	}
	s.st.media.remove(c.media)
	return success, nil
}

// ownMedia checks phone_number_id, which is optional.
func ownMedia(c *call) *graph.Error {
	if id, given := c.params.String("phone_number_id"); given && id != c.media.number.ID {
		return graph.UnknownObject(c.r.Method, c.id)
	}
	return nil
}

// download serves the second hop: the bytes, for a bearer token, until the address expires. Ranges work.
func (s *Sim) download(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	id, ext := q.Get("mid"), q.Get("ext")
	s.mu.Lock()
	now := s.now()
	token := s.st.tokens[bearer(r, nil)]
	m := s.st.media.get(id, now.UnixNano())
	s.mu.Unlock()
	until, err := strconv.ParseInt(ext, 10, 64)
	switch {
	case token == nil || m != nil && !token.sees(m.number.account.ID):
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = w.Write([]byte("<html><body>You need to log in.</body></html>"))
		return
	case m == nil || err != nil || now.Unix() >= until || !hmac.Equal([]byte(q.Get("hash")), []byte(s.mediaHash(id, ext))):
		http.Error(w, "Not Found", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", m.mime)
	w.Header().Set("X-Content-Type-Options", "nosniff") // customers' bytes must not become a page of ours
	w.Header().Set("Content-Disposition", `attachment; filename="`+quotable(m.filename, m.id)+`"`)
	http.ServeContent(w, r, "", time.Time{}, m.open())
}

func quotable(name, fallback string) string {
	if name == "" {
		return fallback
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == '"' || r == '\\' || r > '~' {
			return '_'
		}
		return r
	}, name)
}
