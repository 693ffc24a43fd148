package sim

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/sim/graph"
)

// session is a resumable upload: a file that comes in one piece or, after interruptions, in several. Its handle is for templates
// and profiles; it is not a media id. Nobody can ask for the bytes again, so only their number is kept.
type session struct {
	id     string
	owner  string // user of the token that began it
	kind   string
	length int64
	have   int64
	handle string // once it is complete
	ends   int64
}

const sessionLife = 24 * time.Hour

// maxSessions bounds what is remembered; the oldest sessions go first.
const maxSessions = 1000

// sampleKinds are the types that resumable uploads take.
var sampleKinds = []string{"application/pdf", "image/jpeg", "image/jpg", "image/png", "image/webp", "video/mp4"}

// beginUpload is POST /{app}/uploads.
func beginUpload(s *Sim, c *call) (any, *graph.Error) {
	if err := c.malformed; err != nil {
		return nil, err
	}
	kind, _ := c.params.String("file_type")
	text, _ := c.params.String("file_length")
	length, err := strconv.ParseInt(text, 10, 64)
	switch {
	case err != nil || length < 1 || length > maxFile:
		return nil, graph.Param("Param file_length must be an integer between 1 and %d", maxFile)
	case !slices.Contains(sampleKinds, kind):
		return nil, graph.Param("Param file_type must be one of {%s} - got \"%s\".", strings.Join(sampleKinds, ", "), kind)
	}
	id := "upload:" + base64.RawURLEncoding.EncodeToString([]byte("1:attachment:"+s.st.ids.hex(32))) + "?sig=AR" + s.st.ids.hex(16)
	name, _, _ := strings.Cut(id, "?")
	s.st.media.begin(name, &session{id: id, owner: c.token.UserID, kind: kind, length: length, ends: c.now + int64(sessionLife)})
	return struct {
		ID string `json:"id"`
	}{id}, nil
}

// uploadState is GET /upload:…: how much of the file has come.
func uploadState(_ *Sim, c *call) (any, *graph.Error) {
	return struct {
		ID     string `json:"id"`
		Offset int64  `json:"file_offset"`
	}{c.session.id, c.session.have}, nil
}

// continueUpload is POST /upload:…: a piece of the file, from file_offset on. What came before a connection broke is kept.
func continueUpload(s *Sim, c *call) (any, *graph.Error) {
	u := c.session
	offset, err := strconv.ParseInt(c.r.Header.Get("file_offset"), 10, 64)
	switch {
	case c.file == nil || err != nil:
		return nil, graph.Param("The header file_offset is required.")
	case u.handle != "" && offset == u.length && c.file.size == 0:
	case offset != u.have:
		return nil, graph.Param("The file_offset %d does not match the %d bytes received so far", offset, u.have)
	case u.have+c.file.size > u.length:
		return nil, graph.Param("The file is longer than the file_length of %d", u.length)
	default:
		u.have += c.file.size
	}
	if c.file.cut {
		panic(http.ErrAbortHandler) // nobody is there to be answered
	}
	if u.have < u.length {
		return uploadState(s, c)
	}
	if u.handle == "" {
		u.handle = "4::" + base64.StdEncoding.EncodeToString([]byte(u.kind)) + ":AR" + s.st.ids.hex(32) + ":e:" +
			strconv.FormatInt(u.ends/int64(time.Second), 10) + ":" + s.o.AppID + ":" + u.owner + ":AR" + s.st.ids.hex(16)
	}
	return struct {
		Handle string `json:"h"`
	}{u.handle}, nil
}

// begin remembers a session.
func (l *library) begin(name string, u *session) {
	if l.sessions == nil {
		l.sessions = make(map[string]*session)
	}
	l.sessions[name] = u
	l.begun = append(l.begun, name)
	if len(l.begun) > maxSessions {
		delete(l.sessions, l.begun[0])
		l.begun = l.begun[1:]
	}
}

// session returns an upload that has not expired, or nil.
func (l *library) session(name string, now int64) *session {
	if u := l.sessions[name]; u != nil && now < u.ends {
		return u
	}
	return nil
}

// sample returns the complete upload that a handle stands for, or nil. Handles outlive their sessions' addresses.
func (l *library) sample(handle string) *session {
	for _, u := range l.sessions {
		if u.handle == handle && handle != "" {
			return u
		}
	}
	return nil
}
