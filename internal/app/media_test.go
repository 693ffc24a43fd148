package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-messaging/waxwing/internal/config"
	"github.com/waxwing-messaging/waxwing/internal/media"
	"github.com/waxwing-messaging/waxwing/internal/sim"
)

const (
	jpegData = "\xff\xd8\xff\xe0\x00\x10JFIF"
	pdfData  = "%PDF-1.7\nhello\n"
)

var mediaOperations = []string{"PostWhatsAppMessageMedia", "GetWhatsAppMessageMedia", "DeleteWhatsAppMessageMedia", "CreateWhatsAppMessageTemplateMedia"}

// s3 is AWS's own client for the node's buckets.
func (n *node) s3() *s3.Client {
	return s3.New(s3.Options{Region: "us-east-1", BaseEndpoint: aws.String("http://" + n.APIAddr()), UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider(config.DevAccessKeyID, config.DevSecretAccessKey.Reveal(), "")})
}

// store puts an object into the bucket that is there from the start.
func (n *node) store(t *testing.T, key, kind, body string) {
	t.Helper()
	_, err := n.s3().PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String(devBucket), Key: &key, Body: strings.NewReader(body), ContentType: &kind})
	if err != nil {
		t.Fatal(err)
	}
}

// stored reads an object and its type.
func (n *node) stored(t *testing.T, key string) (body, kind string) {
	t.Helper()
	out, err := n.s3().GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String(devBucket), Key: &key})
	if err != nil {
		t.Fatal(err)
	}
	defer out.Body.Close()
	raw, err := io.ReadAll(out.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw), *out.ContentType
}

func s3File(key string) object { return object{"bucketName": devBucket, "key": key} }

// upload gives a file in the bucket to WhatsApp and returns its media id.
func (n *node) upload(t *testing.T, phone, key string) string {
	t.Helper()
	var out struct{ MediaID string }
	n.ask(t, "POST", "/v1/whatsapp/media", object{"originationPhoneNumberId": phone, "sourceS3File": s3File(key)}, &out)
	if out.MediaID == "" {
		t.Fatal("no media id")
	}
	return out.MediaID
}

type found struct {
	MIMEType string
	FileSize int64
}

// A picture goes out, the customer sees it, sends one back, and that goes into the bucket.
func TestMediaStory(t *testing.T) {
	t.Parallel()
	n := start(t, t.TempDir(), nil)
	n.store(t, "out/cat.jpeg", "image/jpeg", jpegData+"cat")
	n.control(t, http.MethodPost, "/sim/v1/customers/"+sim.Diego+"/messages", `{"phone_number_id":"`+sim.NumberID+`","message":{"type":"text","text":{"body":"Hi"}}}`)
	for _, phone := range []string{seededPhone, seededPhoneARN} {
		id := n.upload(t, phone, "out/cat.jpeg")
		n.waitState(t, n.send(t, `{"messaging_product":"whatsapp","to":"+`+sim.Diego+`","type":"image","image":{"id":"`+id+`"}}`), "delivered", 0)

		var got found
		n.ask(t, "POST", "/v1/whatsapp/media/get", object{"mediaId": id, "originationPhoneNumberId": phone, "destinationS3File": s3File("in/")}, &got)
		if body, kind := n.stored(t, "in/"+id+".jpeg"); got != (found{"image/jpeg", 13}) || body != jpegData+"cat" || kind != "image/jpeg" {
			t.Errorf("got %+v, stored %q as %s", got, body, kind)
		}
		var gone struct{ Success bool }
		n.ask(t, "DELETE", "/v1/whatsapp/media?mediaId="+id+"&originationPhoneNumberId="+url.QueryEscape(phone), nil, &gone)
		if !gone.Success {
			t.Error("not deleted")
		}
		n.refuses(t, n.api, refusal{"after its deletion", "POST", "/v1/whatsapp/media/get",
			object{"mediaId": id, "originationPhoneNumberId": phone, "metadataOnly": true}, 404, "ResourceNotFoundException", id})
	}

	// The customer's voice note: its type has a parameter, its extension has not.
	n.control(t, http.MethodPost, "/sim/v1/customers/"+sim.Diego+"/messages", `{"phone_number_id":"`+sim.NumberID+`","message":{"type":"audio",`+
		`"audio":{"data":"T2dnUw==","mime_type":"audio/ogg; codecs=opus"}}}`)
	note := n.lastMedia(t)
	var got found
	n.ask(t, "POST", "/v1/whatsapp/media/get", object{"mediaId": note, "originationPhoneNumberId": seededPhone, "destinationS3File": s3File("audio/example.ogg")}, &got)
	if body, kind := n.stored(t, "audio/example.ogg"+note+".ogg"); got != (found{"audio/ogg; codecs=opus", 4}) || body != "OggS" || kind != "audio/ogg; codecs=opus" {
		t.Errorf("got %+v, stored %q as %s", got, body, kind)
	}
	got = found{}
	n.ask(t, "POST", "/v1/whatsapp/media/get", object{"mediaId": note, "originationPhoneNumberId": seededPhone, "metadataOnly": true}, &got)
	if got != (found{"audio/ogg; codecs=opus", 4}) {
		t.Errorf("got %+v", got)
	}
}

// lastMedia returns the id of what Diego sent last.
func (n *node) lastMedia(t *testing.T) string {
	t.Helper()
	chat := n.control(t, http.MethodGet, "/sim/v1/customers/"+sim.Diego+"/messages?phone_number_id="+sim.NumberID, "")
	m := regexp.MustCompile(`"audio":\s*{\s*"id":\s*"(\d+)"`).FindStringSubmatch(chat)
	if m == nil {
		t.Fatalf("no voice note in %s", chat)
	}
	return m[1]
}

func TestMediaByPresignedURL(t *testing.T) {
	t.Parallel()
	n := start(t, t.TempDir(), nil)
	n.store(t, "out/a.pdf", "application/octet-stream", pdfData)
	presign := s3.NewPresignClient(n.s3())
	down, err := presign.PresignGetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String(devBucket), Key: aws.String("out/a.pdf")})
	if err != nil {
		t.Fatal(err)
	}
	var out struct{ MediaID string }
	n.ask(t, "POST", "/v1/whatsapp/media", object{"originationPhoneNumberId": seededPhone, "sourceS3PresignedUrl": object{"url": down.URL,
		"headers": map[string]string{"content-type": "application/pdf"}}}, &out)
	up, err := presign.PresignPutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String(devBucket), Key: aws.String("in/b.pdf"),
		Metadata: map[string]string{"note": "hello"}})
	if err != nil {
		t.Fatal(err)
	}
	var got found
	n.ask(t, "POST", "/v1/whatsapp/media/get", object{"mediaId": out.MediaID, "originationPhoneNumberId": seededPhone,
		"destinationS3PresignedUrl": object{"url": up.URL, "headers": map[string]string{"x-amz-meta-note": "hello"}}}, &got)
	// A header that the URL does not sign is not S3's to take.
	n.refuses(t, n.api, refusal{"unsigned header", "POST", "/v1/whatsapp/media/get", object{"mediaId": out.MediaID, "originationPhoneNumberId": seededPhone,
		"destinationS3PresignedUrl": object{"url": up.URL, "headers": map[string]string{"x-amz-acl": "public-read"}}}, 400, "InvalidParametersException", "403"})
	if body, kind := n.stored(t, "in/b.pdf"); got != (found{"application/pdf", int64(len(pdfData))}) || body != pdfData || kind != "application/pdf" {
		t.Errorf("got %+v, stored %q as %s", got, body, kind)
	}
}

func TestTemplateMedia(t *testing.T) {
	t.Parallel()
	n := start(t, t.TempDir(), liftQuotas(mediaOperations...))
	n.store(t, "a.jpeg", "image/jpeg", jpegData)
	n.store(t, "a.txt", "text/plain", "hello")
	for _, waba := range []string{seededWABA, seededWABAARN} {
		var out struct{ MetaHeaderHandle string }
		n.ask(t, "POST", "/v1/whatsapp/template/media", object{"id": waba, "sourceS3File": s3File("a.jpeg")}, &out)
		if !strings.HasPrefix(out.MetaHeaderHandle, "4::aW1hZ2UvanBlZw==:") {
			t.Errorf("handle = %q", out.MetaHeaderHandle)
		}
	}
	const at = "/v1/whatsapp/template/media"
	for _, r := range []refusal{
		{"no id", "POST", at, object{"sourceS3File": s3File("a.jpeg")}, 400, "ValidationException", "'id'"},
		{"no source", "POST", at, object{"id": seededWABA}, 400, "InvalidParametersException", "sourceS3File"},
		{"unknown account", "POST", at, object{"id": unknownWABA, "sourceS3File": s3File("a.jpeg")}, 404, "ResourceNotFoundException", unknownWABA},
		{"unknown object", "POST", at, object{"id": seededWABA, "sourceS3File": s3File("never")}, 404, "ResourceNotFoundException", "no object"},
		{"type", "POST", at, object{"id": seededWABA, "sourceS3File": s3File("a.txt")}, 400, "InvalidParametersException", "header of a template"},
	} {
		n.refuses(t, n.api, r)
	}
	n.refuses(t, n.stranger(t), refusal{"another account's", "POST", at, object{"id": seededWABAARN, "sourceS3File": s3File("a.jpeg")}, 404, "ResourceNotFoundException", ""})
	for _, tc := range []struct {
		edge       string
		code       int
		status     int
		wire, text string
	}{
		{"uploads", 190, 403, "AccessDeniedByMetaException", "Meta"}, {"upload", 190, 403, "AccessDeniedByMetaException", "Meta"},
		{"uploads", 80007, 429, "ThrottledRequestException", ""}, {"upload", 131000, 502, "DependencyException", "Meta"},
		{"uploads", 100, 400, "InvalidParametersException", "(#100)"},
	} {
		n.fails(t, tc.edge, tc.code)
		n.refuses(t, n.api, refusal{fmt.Sprint(tc.edge, " ", tc.code), "POST", at, object{"id": seededWABA, "sourceS3File": s3File("a.jpeg")}, tc.status, tc.wire, tc.text})
	}
}

func TestMediaOperationsRefuse(t *testing.T) {
	t.Parallel()
	n := start(t, t.TempDir(), liftQuotas(mediaOperations...))
	for key, file := range map[string][2]string{"a.jpeg": {"image/jpeg", jpegData}, "lie.png": {"image/png", jpegData}, "a.zip": {"application/zip", "PK\x03\x04"},
		"empty": {"text/plain", ""}, "large.jpeg": {"image/jpeg", jpegData + strings.Repeat("x", 5<<20)}} {
		n.store(t, key, file[0], file[1])
	}
	id := n.upload(t, seededPhone, "a.jpeg")
	own := "http://" + n.APIAddr() + "/" + devBucket + "/a.jpeg?X-Amz-Signature=x"
	typed := map[string]string{"Content-Type": "image/jpeg"}
	post := func(members ...any) object { return merge(object{"originationPhoneNumberId": seededPhone}, members...) }
	get := func(members ...any) object {
		return merge(object{"originationPhoneNumberId": seededPhone, "mediaId": id}, members...)
	}
	const postAt, getAt, deleteAt = "/v1/whatsapp/media", "/v1/whatsapp/media/get", "/v1/whatsapp/media"
	remove := func(media, phone string) string {
		return deleteAt + "?mediaId=" + media + "&originationPhoneNumberId=" + phone
	}
	for _, r := range []refusal{
		{"post without a number", "POST", postAt, object{"sourceS3File": s3File("a.jpeg")}, 400, "ValidationException", "'originationPhoneNumberId'"},
		{"post for a business account", "POST", postAt, post("originationPhoneNumberId", seededWABA, "sourceS3File", s3File("a.jpeg")), 400, "ValidationException", "phone-number-id"},
		{"post without a source", "POST", postAt, post(), 400, "InvalidParametersException", "Exactly one"},
		{"post with two sources", "POST", postAt, post("sourceS3File", s3File("a.jpeg"), "sourceS3PresignedUrl", object{"url": own, "headers": typed}), 400, "InvalidParametersException", "Exactly one"},
		{"post with half a file", "POST", postAt, post("sourceS3File", object{"bucketName": devBucket}), 400, "ValidationException", "'sourceS3File.key'"},
		{"post from no bucket", "POST", postAt, post("sourceS3File", object{"bucketName": "A!", "key": "x"}), 400, "ValidationException", "'sourceS3File.bucketName'"},
		{"post with half a URL", "POST", postAt, post("sourceS3PresignedUrl", object{"url": own}), 400, "ValidationException", "'sourceS3PresignedUrl.headers'"},
		{"post without a type", "POST", postAt, post("sourceS3PresignedUrl", object{"url": own, "headers": object{}}), 400, "InvalidParametersException", "Content-Type"},
		{"post from anywhere", "POST", postAt, post("sourceS3PresignedUrl", object{"url": "https://evil.example/x", "headers": typed}), 400, "ValidationException",
			"Value at 'sourceS3PresignedUrl.url' failed to satisfy constraint: Member must satisfy regular expression pattern: https://(.*)s3(.*).amazonaws.com/(.*)"},
		{"post from the simulator", "POST", postAt, post("sourceS3PresignedUrl", object{"url": "http://" + n.MetaAddr() + "/sim/v1/state", "headers": typed}), 400, "ValidationException", "pattern"},
		{"post from our own API", "POST", postAt, post("sourceS3PresignedUrl", object{"url": "http://" + n.APIAddr() + "/healthz", "headers": typed}), 400, "InvalidParametersException", "403"},
		{"post with a bad signature", "POST", postAt, post("sourceS3PresignedUrl", object{"url": own, "headers": typed}), 400, "InvalidParametersException", "refused"},
		{"post from an unknown number", "POST", postAt, post("originationPhoneNumberId", unknownPhone, "sourceS3File", s3File("a.jpeg")), 404, "ResourceNotFoundException", unknownPhone},
		{"post from an unknown bucket", "POST", postAt, post("sourceS3File", object{"bucketName": "never-was", "key": "x"}), 404, "ResourceNotFoundException", "never-was"},
		{"post of an unknown object", "POST", postAt, post("sourceS3File", s3File("never")), 404, "ResourceNotFoundException", "no object"},
		{"post of a lie", "POST", postAt, post("sourceS3File", s3File("lie.png")), 400, "InvalidParametersException", "declared as image/png, but its content is image/jpeg"},
		{"post of something else", "POST", postAt, post("sourceS3File", s3File("a.zip")), 400, "InvalidParametersException", "does not take"},
		{"post of nothing", "POST", postAt, post("sourceS3File", s3File("empty")), 400, "InvalidParametersException", "empty"},
		{"post of too much", "POST", postAt, post("sourceS3File", s3File("large.jpeg")), 400, "InvalidParametersException", "5242880"},

		{"get without a number", "POST", getAt, object{"mediaId": id, "metadataOnly": true}, 400, "ValidationException", "'originationPhoneNumberId'"},
		{"get without an id", "POST", getAt, post("metadataOnly", true), 400, "ValidationException", "'mediaId'"},
		{"get by a name with a dot", "POST", getAt, get("mediaId", "123.ogg", "metadataOnly", true), 400, "ValidationException", "[A-Za-z0-9]+"},
		{"get to nowhere", "POST", getAt, get(), 400, "InvalidParametersException", "metadataOnly"},
		{"get to two places", "POST", getAt, get("destinationS3File", s3File(""), "destinationS3PresignedUrl", object{"url": own, "headers": typed}), 400, "InvalidParametersException", "Only one"},
		{"get to anywhere", "POST", getAt, get("destinationS3PresignedUrl", object{"url": "https://evil.example/x", "headers": typed}), 400, "ValidationException", "'destinationS3PresignedUrl.url'"},
		{"get from an unknown number", "POST", getAt, get("originationPhoneNumberId", unknownPhone, "metadataOnly", true), 404, "ResourceNotFoundException", unknownPhone},
		{"get of the unknown", "POST", getAt, get("mediaId", "4711", "metadataOnly", true), 404, "ResourceNotFoundException", "4711"},
		{"get to an unknown bucket", "POST", getAt, get("destinationS3File", object{"bucketName": "never-was", "key": ""}), 404, "ResourceNotFoundException", "never-was"},
		{"get under too long a key", "POST", getAt, get("destinationS3File", s3File(strings.Repeat("k", 1020))), 400, "InvalidParametersException", "1024"},

		{"delete without an id", "DELETE", deleteAt + "?originationPhoneNumberId=" + seededPhone, nil, 400, "ValidationException", "'mediaId'"},
		{"delete without a number", "DELETE", deleteAt + "?mediaId=1", nil, 400, "ValidationException", "'originationPhoneNumberId'"},
		{"delete of the unknown", "DELETE", remove("4711", seededPhone), nil, 404, "ResourceNotFoundException", "4711"},
		{"delete from an unknown number", "DELETE", remove(id, unknownPhone), nil, 404, "ResourceNotFoundException", unknownPhone},
	} {
		n.refuses(t, n.api, r)
	}
	stranger := n.stranger(t)
	for _, r := range []refusal{
		{"another account's number", "POST", postAt, post("originationPhoneNumberId", seededPhoneARN, "sourceS3File", s3File("a.jpeg")), 404, "ResourceNotFoundException", ""},
		{"get from another account", "POST", getAt, get("metadataOnly", true), 404, "ResourceNotFoundException", ""},
		{"delete from another account", "DELETE", remove(id, seededPhone), nil, 404, "ResourceNotFoundException", ""},
	} {
		n.refuses(t, stranger, r)
	}
	// What Meta says. Edges are those of the calls behind the operations; reading and deleting have no edge but the object itself.
	for _, meta := range []struct {
		code, status int
		wire         string
	}{{190, 403, "AccessDeniedByMetaException"}, {10, 403, "AccessDeniedByMetaException"}, {80007, 429, "ThrottledRequestException"},
		{131000, 502, "DependencyException"}, {100, 400, "InvalidParametersException"}} {
		n.fails(t, "media", meta.code)
		n.refuses(t, n.api, refusal{fmt.Sprint("post, Meta says ", meta.code), "POST", postAt, post("sourceS3File", s3File("a.jpeg")), meta.status, meta.wire, ""})
		for _, r := range []refusal{
			{"get", "POST", getAt, get("metadataOnly", true), meta.status, meta.wire, ""}, {"delete", "DELETE", remove(id, seededPhone), nil, meta.status, meta.wire, ""},
		} {
			method := map[string]string{"get": "GET", "delete": "DELETE"}[r.name]
			n.control(t, "PUT", "/sim/v1/faults", fmt.Sprintf(`{"rules":[{"match":{"method":%q},"when":{"next":1},"effect":{"code":%d}}]}`, method, meta.code))
			r.name = fmt.Sprint(r.name, ", Meta says ", meta.code)
			n.refuses(t, n.api, r)
		}
	}
	if _, err := n.s3().HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: aws.String(devBucket), Key: aws.String(id + ".jpeg")}); err == nil {
		t.Error("a refused call left an object")
	}
}

func merge(o object, members ...any) object {
	for i := 0; i+1 < len(members); i += 2 {
		o[members[i].(string)] = members[i+1]
	}
	return o
}

func TestMediaQuota(t *testing.T) {
	t.Parallel()
	n := start(t, t.TempDir(), func(c *config.Config) { c.Limits = map[string]float64{"GetWhatsAppMessageMedia": 0.001} })
	body := object{"originationPhoneNumberId": seededPhone, "mediaId": "1", "metadataOnly": true}
	n.refuses(t, n.api, refusal{"first", "POST", "/v1/whatsapp/media/get", body, 404, "ResourceNotFoundException", ""})
	n.refuses(t, n.api, refusal{"second", "POST", "/v1/whatsapp/media/get", body, 429, "ThrottledRequestException", ""})
}

// A transfer that breaks off half-way, in either direction, leaves nothing behind: no object, and no file on the disk.
func TestInterruptedTransfers(t *testing.T) {
	t.Parallel()
	const size = 3 << 20
	var server *httptest.Server
	server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/media"):
			_, _ = io.CopyN(io.Discard, r.Body, size/2)
			panic(http.ErrAbortHandler)
		case strings.HasSuffix(r.URL.Path, "/4711"):
			_, _ = fmt.Fprintf(w, `{"id":"4711","mime_type":"application/pdf","file_size":%d,"url":"%s/file"}`, size, server.URL)
		case r.URL.Path == "/file":
			w.Header().Set("Content-Length", strconv.Itoa(size))
			_, _ = io.WriteString(w, strings.Repeat("x", size/2))
			panic(http.ErrAbortHandler)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	t.Cleanup(server.Close)
	dir := t.TempDir()
	n := start(t, dir, func(c *config.Config) { c.Meta.BaseURL = server.URL })
	n.store(t, "a.pdf", "application/pdf", "%PDF-1.7\n"+strings.Repeat("x", size))
	stored, files := n.objects(t), filesIn(t, dir)
	if len(stored) == 0 || len(files) == 0 {
		t.Fatalf("before: objects %v, files %v", stored, files)
	}
	for _, r := range []refusal{
		{"upload", "POST", "/v1/whatsapp/media", object{"originationPhoneNumberId": seededPhone, "sourceS3File": s3File("a.pdf")}, 502, "DependencyException", "could not be reached"},
		{"download", "POST", "/v1/whatsapp/media/get", object{"originationPhoneNumberId": seededPhone, "mediaId": "4711", "destinationS3File": s3File("in/")}, 502, "DependencyException", ""},
	} {
		n.refuses(t, n.api, r)
		if diff := cmp.Diff(stored, n.objects(t)); diff != "" {
			t.Errorf("%s: objects (-before +after):\n%s", r.name, diff)
		}
		if diff := cmp.Diff(files, filesIn(t, dir)); diff != "" {
			t.Errorf("%s: files (-before +after):\n%s", r.name, diff)
		}
	}
}

// objects are the keys in the bucket that is there from the start.
func (n *node) objects(t *testing.T) (keys []string) {
	t.Helper()
	out, err := n.s3().ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String(devBucket)})
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range out.Contents {
		keys = append(keys, *o.Key)
	}
	return keys
}

// filesIn are the files under a node's data directory but those of the database, which come and go.
func filesIn(t *testing.T, dir string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && !strings.Contains(d.Name(), ".db") {
			names = append(names, strings.TrimPrefix(name, dir))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// An S3 of somebody else's in place of the built-in buckets.
func TestRemoteBuckets(t *testing.T) {
	other := start(t, t.TempDir(), nil)
	other.store(t, "a.jpeg", "image/jpeg", jpegData)
	t.Setenv("AWS_ACCESS_KEY_ID", config.DevAccessKeyID)
	t.Setenv("AWS_SECRET_ACCESS_KEY", config.DevSecretAccessKey.Reveal())
	n := start(t, t.TempDir(), func(c *config.Config) {
		c.S3.Endpoint = "http://" + other.APIAddr()
		c.S3.Buckets = []string{"whatsapp-*"}
	})
	id := n.upload(t, seededPhone, "a.jpeg")
	n.ask(t, "POST", "/v1/whatsapp/media/get", object{"mediaId": id, "originationPhoneNumberId": seededPhone, "destinationS3File": s3File("in/")}, new(found))
	if body, _ := other.stored(t, "in/"+id+".jpeg"); body != jpegData {
		t.Errorf("stored %q", body)
	}
	n.refuses(t, n.api, refusal{"another bucket", "POST", "/v1/whatsapp/media", object{"originationPhoneNumberId": seededPhone,
		"sourceS3File": object{"bucketName": "private", "key": "x"}}, 403, "AccessDeniedException", "private"})
	presigned, err := s3.NewPresignClient(other.s3()).PresignGetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String(devBucket), Key: aws.String("a.jpeg")})
	if err != nil {
		t.Fatal(err)
	}
	n.ask(t, "POST", "/v1/whatsapp/media", object{"originationPhoneNumberId": seededPhone, "sourceS3PresignedUrl": object{"url": presigned.URL,
		"headers": map[string]string{"Content-Type": "image/jpeg"}}}, new(object))
	if _, err := n.s3().ListBuckets(t.Context(), &s3.ListBucketsInput{}); err == nil {
		t.Error("the node serves buckets although it uses others")
	}
}

// document is a PDF of any length that takes no memory.
func document(size int64) media.Object {
	return media.Object{Size: size, Type: "application/pdf", Body: io.NopCloser(io.LimitReader(io.MultiReader(strings.NewReader(pdfData), forever{}), size))}
}

type forever struct{}

func (forever) Read(p []byte) (int, error) {
	return copy(p, bytes.Repeat([]byte("x"), min(len(p), 32<<10))), nil
}

// growth returns by how many bytes the memory in use grew at most while f ran. Tests that measure it run alone.
func growth(f func()) int64 {
	var before, now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	stop, peak := make(chan struct{}), make(chan int64)
	go func() {
		most := int64(0)
		tick := time.NewTicker(2 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				peak <- most
				return
			case <-tick.C:
				runtime.ReadMemStats(&now)
				most = max(most, int64(now.HeapAlloc)-int64(before.HeapAlloc))
			}
		}
	}()
	f()
	close(stop)
	return <-peak
}

// Files are streamed: what is in memory does not depend on how long they are, the simulated WhatsApp's own part included.
func TestLargeMediaTakesLittleMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("it moves 2.2 GB")
	}
	n := start(t, t.TempDir(), nil)
	n.api.HTTP = &http.Client{Timeout: 10 * time.Minute} // a busy machine takes its time for two gigabytes
	const budget = 32 << 20
	put := func(key string, size int64) {
		t.Helper()
		if err := n.parts.buckets.builtin.Put(context.Background(), config.DevAccountID, devBucket, key, document(size)); err != nil {
			t.Fatal(err)
		}
	}
	roundTrip := func(key string) (err error) {
		res := n.api.Do(t, "POST", "/v1/whatsapp/media", object{"originationPhoneNumberId": seededPhone, "sourceS3File": s3File(key)})
		var out struct{ MediaID string }
		if res.JSON(t, &out); res.Status != http.StatusOK {
			return fmt.Errorf("post: %d %s", res.Status, res.Body)
		}
		res = n.api.Do(t, "POST", "/v1/whatsapp/media/get", object{"mediaId": out.MediaID, "originationPhoneNumberId": seededPhone, "destinationS3File": s3File("in/")})
		if res.Status != http.StatusOK {
			return fmt.Errorf("get: %d %s", res.Status, res.Body)
		}
		return nil
	}
	put("one.pdf", media.MaxBytes)
	if grown := growth(func() {
		if err := roundTrip("one.pdf"); err != nil {
			t.Error(err)
		}
	}); grown > budget {
		t.Errorf("100 MB there and back took %d bytes of memory, want at most %d", grown, budget)
	} else {
		t.Logf("100 MB there and back took %.1f MiB", float64(grown)/(1<<20))
	}
	const each = media.MaxBytes
	put("ten.pdf", each)
	if grown := growth(func() {
		var all sync.WaitGroup
		errs := make([]error, 10)
		for i := range errs {
			all.Go(func() { errs[i] = roundTrip("ten.pdf") })
		}
		all.Wait()
		if err := errors.Join(errs...); err != nil {
			t.Error(err)
		}
	}); grown > budget {
		t.Errorf("ten files of 100 MB at once took %d bytes of memory, want at most %d", grown, budget)
	} else {
		t.Logf("ten files of 100 MB at once took %.1f MiB", float64(grown)/(1<<20))
	}
}
