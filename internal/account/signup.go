package account

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/identity"
)

// MaxWABAs is how many business accounts an account can link in a Region: AWS's quota.
const MaxWABAs = 25

// SignUpLife is how long the second phase of a link may take. AWS does not say.
const SignUpLife = time.Hour

// SignUp is a link between its phases: Meta has granted access, and numbers still have to be registered. Whoever holds its
// token may finish it, once.
type SignUp struct {
	Hash      []byte // of the token, see HashSignUpToken; the token itself is not kept
	AccountID string
	ExpiresAt time.Time
	Callback  *string // new CallbackURL of all its business accounts; nil leaves them as they are
}

// NewSignUpToken makes a token: 43 characters, of the 50 that the API allows.
func NewSignUpToken() string {
	b := make([]byte, 32)
	rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b)
}

// HashSignUpToken returns what is stored of a token. Tokens are random, so a plain digest is enough.
func HashSignUpToken(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}

// Candidate is a business account as the first phase of a link stores it.
type Candidate struct {
	WABA    WABA
	Token   []byte // sealed
	Numbers []PhoneNumber
}

// Finish is what the second phase of a link changes, at once.
type Finish struct {
	WABAKey         string
	Complete        bool // the business account itself is finished; otherwise only numbers are added to it
	Destination     *Destination
	KeepDestination bool // Destination was not given
	Tags            []Tag
	Numbers         []FinishedNumber
}

// FinishedNumber is a number that Meta has registered.
type FinishedNumber struct {
	Key        string
	DataRegion string
	Tags       []Tag
}

// dataRegions are the countries in which Meta can keep a number's data at rest (Cloud API local storage), sorted.
var dataRegions = []string{"AE", "AU", "BH", "BR", "CA", "CH", "DE", "GB", "ID", "IN", "JP", "KR", "SG", "ZA"}

// DataRegion reports whether Meta can keep a number's data in a country, by its ISO code.
func DataRegion(country string) bool {
	_, found := slices.BinarySearch(dataRegions, country)
	return found
}

// Grant is what Meta lets the holder of an access token do here.
type Grant struct {
	Token   identity.Secret
	MetaIDs []string // of the business accounts it opens
}

// Pending is a business account with something left to do in the second phase of a link.
type Pending struct {
	WABA    WABA
	Numbers []PhoneNumber // those that are not set up
}

// SetUp asks for the second phase of a link. WABA or Parent names the business account, by id, ARN or Meta's id: WABA finishes a
// new one, Parent adds numbers to one that is finished.
type SetUp struct {
	Scope           Scope // of the caller
	Token           identity.Secret
	WABA, Parent    string
	Destination     *Destination
	KeepDestination bool // none was given
	Tags            []Tag
	Numbers         []NumberSetUp
}

// NumberSetUp is a number to register.
type NumberSetUp struct {
	ID     string          // id, ARN or Meta's id
	PIN    identity.Secret // six digits: the existing two-step verification code, or a new one
	Region string          // ISO country that keeps its data, or ""
	Tags   []Tag
}
