package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"strings"
	"sync"

	"github.com/waxwing-messaging/waxwing/internal/identity"
)

// keyCacheSize is how many signing keys each of the two generations holds. A key lasts a day, so this is about as many
// callers as one server sees in a day; with more, the rarest callers cost four hashes each time.
const keyCacheSize = 4096

type keyID struct{ accessKey, date, region, service string }

type signingKey struct {
	secret identity.Secret // what it was derived from: an id may get a new secret
	key    [sha256.Size]byte
}

// keyCache remembers derived signing keys. It keeps two generations and forgets the older one when the newer is full, so its
// size is bounded and what is in use stays.
type keyCache struct {
	mu       sync.RWMutex
	now, old map[keyID]signingKey
}

func (c *keyCache) get(key identity.AccessKey, date, region, service string) [sha256.Size]byte {
	id := keyID{key.ID, date, region, service}
	c.mu.RLock()
	found, fresh := c.now[id]
	if !fresh {
		found = c.old[id]
	}
	c.mu.RUnlock()
	known := found.secret != "" && found.secret == key.Secret
	if known && fresh {
		return found.key
	}
	if !known {
		found = signingKey{secret: key.Secret, key: derive(key.Secret, date, region, service)}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.now == nil || len(c.now) >= keyCacheSize {
		c.now, c.old = make(map[keyID]signingKey), c.now
	}
	// The strings are parts of request headers; the cache must not keep those alive.
	c.now[keyID{key.ID, strings.Clone(date), strings.Clone(region), strings.Clone(service)}] = found
	return found.key
}

func derive(secret identity.Secret, date, region, service string) [sha256.Size]byte {
	k := sign([]byte("AWS4"+secret.Reveal()), []byte(date))
	for _, part := range [...]string{region, service, terminator} {
		k = sign(k[:], []byte(part))
	}
	return k
}

func sign(key, message []byte) (mac [sha256.Size]byte) {
	h := hmac.New(sha256.New, key)
	h.Write(message)
	h.Sum(mac[:0])
	return mac
}
