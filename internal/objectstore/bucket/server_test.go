package bucket_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-messaging/waxwing/internal/awsapi/awsapitest"
	s3api "github.com/waxwing-messaging/waxwing/internal/awsapi/s3"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/media"
	"github.com/waxwing-messaging/waxwing/internal/objectstore/bucket"
)

const (
	one = "111122223333"
	two = "444455556666"
)

// serve serves a store as the front door does: behind the check of signatures.
func serve(t *testing.T, store *bucket.Store, secure bool) *httptest.Server {
	t.Helper()
	inner := bucket.Handler(store)
	h := s3api.New(s3api.Options{Region: "us-east-1", Keys: awsapitest.Keys{awsapitest.Key(one), awsapitest.Key(two)},
		Serve: func(w http.ResponseWriter, r *http.Request, account string) {
			inner.ServeHTTP(w, bucket.For(r, account))
		},
		Hosts: []string{"localhost"}, Logger: slog.New(slog.DiscardHandler)})
	server := httptest.NewUnstartedServer(h)
	if secure {
		server.StartTLS()
	} else {
		server.Start()
	}
	t.Cleanup(server.Close)
	return server
}

func open(t *testing.T, dir string) *bucket.Store {
	t.Helper()
	store, err := bucket.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// client is AWS's own client, as an account.
func client(server *httptest.Server, account string) *s3.Client {
	key := awsapitest.Key(account)
	return s3.New(s3.Options{Region: "us-east-1", BaseEndpoint: &server.URL, UsePathStyle: true, HTTPClient: server.Client(),
		Credentials: credentials.NewStaticCredentialsProvider(key.ID, key.Secret.Reveal(), ""), Retryer: aws.NopRetryer{}})
}

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	if e, ok := errors.AsType[smithy.APIError](err); !ok || e.ErrorCode() != code {
		t.Errorf("err = %v, want %s", err, code)
	}
}

func must[T any](t *testing.T) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func put(t *testing.T, c *s3.Client, name, key, body string) {
	t.Helper()
	_, err := c.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &name, Key: &key, Body: strings.NewReader(body), ContentType: aws.String("text/plain")})
	if err != nil {
		t.Fatalf("put %s: %v", key, err)
	}
}

func get(t *testing.T, c *s3.Client, name, key string) string {
	t.Helper()
	out := must[*s3.GetObjectOutput](t)(c.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &name, Key: &key}))
	defer out.Body.Close()
	return string(must[[]byte](t)(io.ReadAll(out.Body)))
}

// TestLife takes an object through everything the SDK can do with it, in the clear and over TLS, for which the SDK signs bodies
// in different ways.
func TestLife(t *testing.T) {
	t.Parallel()
	for _, secure := range []bool{false, true} {
		t.Run(fmt.Sprintf("secure=%v", secure), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			c := client(serve(t, open(t, dir), secure), one)
			ctx, name, key := t.Context(), aws.String("media"), aws.String("a dir/ü+%2F//../x.txt")
			must[*s3.CreateBucketOutput](t)(c.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: name}))
			must[*s3.HeadBucketOutput](t)(c.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: name}))
			body := strings.Repeat("0123456789abcdef", 20_000)
			out := must[*s3.PutObjectOutput](t)(c.PutObject(ctx, &s3.PutObjectInput{Bucket: name, Key: key, Body: strings.NewReader(body),
				ContentType: aws.String("text/plain"), Metadata: map[string]string{"note": "hello"}}))
			head := must[*s3.HeadObjectOutput](t)(c.HeadObject(ctx, &s3.HeadObjectInput{Bucket: name, Key: key}))
			if *head.ContentLength != int64(len(body)) || *head.ContentType != "text/plain" || head.Metadata["note"] != "hello" || *head.ETag != *out.ETag {
				t.Errorf("head = %+v", head)
			}
			if got := get(t, c, *name, *key); got != body {
				t.Errorf("got %d bytes, want %d", len(got), len(body))
			}
			part := must[*s3.GetObjectOutput](t)(c.GetObject(ctx, &s3.GetObjectInput{Bucket: name, Key: key, Range: aws.String("bytes=1-3")}))
			if got := must[[]byte](t)(io.ReadAll(part.Body)); string(got) != "123" {
				t.Errorf("range = %q", got)
			}
			must[*s3.CopyObjectOutput](t)(c.CopyObject(ctx, &s3.CopyObjectInput{Bucket: name, Key: aws.String("copy"),
				CopySource: aws.String("media/a%20dir/%C3%BC%2B%252F//../x.txt")}))

			// What is stored is there after a restart.
			c = client(serve(t, open(t, dir), secure), one)
			if got := get(t, c, *name, "copy"); got != body {
				t.Errorf("the copy has %d bytes, want %d", len(got), len(body))
			}
			_, err := c.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: name})
			wantCode(t, err, "BucketNotEmpty")
			must[*s3.DeleteObjectsOutput](t)(c.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: name, Delete: &types.Delete{
				Objects: []types.ObjectIdentifier{{Key: key}, {Key: aws.String("copy")}, {Key: aws.String("never was")}}}}))
			_, err = c.GetObject(ctx, &s3.GetObjectInput{Bucket: name, Key: key})
			wantCode(t, err, "NoSuchKey")
			must[*s3.DeleteBucketOutput](t)(c.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: name}))
			_, err = c.GetObject(ctx, &s3.GetObjectInput{Bucket: name, Key: key})
			wantCode(t, err, "NoSuchBucket")
			if files := must[[]os.DirEntry](t)(os.ReadDir(dir)); len(files) != 1 {
				t.Errorf("%d entries are left, want the directory of unfinished uploads", len(files))
			}
		})
	}
}

func TestMultipart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := client(serve(t, open(t, dir), false), one)
	ctx, name, key := t.Context(), aws.String("media"), aws.String("large")
	must[*s3.CreateBucketOutput](t)(c.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: name}))
	begin := func() *string {
		return must[*s3.CreateMultipartUploadOutput](t)(c.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: name, Key: key,
			ContentType: aws.String("video/mp4")})).UploadId
	}
	id := begin()
	send := func(n int32, body string) types.CompletedPart {
		out := must[*s3.UploadPartOutput](t)(c.UploadPart(ctx, &s3.UploadPartInput{Bucket: name, Key: key, UploadId: id, PartNumber: &n,
			Body: strings.NewReader(body)}))
		return types.CompletedPart{PartNumber: &n, ETag: out.ETag}
	}
	parts := []types.CompletedPart{send(1, "first "), send(3, "third")}
	again := send(1, "First ")
	complete := func(parts ...types.CompletedPart) error {
		_, err := c.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{Bucket: name, Key: key, UploadId: id,
			MultipartUpload: &types.CompletedMultipartUpload{Parts: parts}})
		return err
	}
	wantCode(t, complete(parts[1], parts[0]), "InvalidPartOrder")
	wantCode(t, complete(types.CompletedPart{PartNumber: aws.Int32(2), ETag: again.ETag}), "InvalidPart")
	if err := complete(again, parts[1]); err != nil {
		t.Fatal(err)
	}
	if got := get(t, c, *name, *key); got != "First third" {
		t.Errorf("got %q", got)
	}
	head := must[*s3.HeadObjectOutput](t)(c.HeadObject(ctx, &s3.HeadObjectInput{Bucket: name, Key: key}))
	if *head.ContentType != "video/mp4" {
		t.Errorf("type = %q", *head.ContentType)
	}
	id = begin()
	send(1, "to be forgotten")
	must[*s3.AbortMultipartUploadOutput](t)(c.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: name, Key: key, UploadId: id}))
	if left := must[[]os.DirEntry](t)(os.ReadDir(filepath.Join(dir, ".tmp"))); len(left) != 0 {
		t.Errorf("%d unfinished uploads are left, want none", len(left))
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	c := client(serve(t, open(t, t.TempDir()), false), one)
	ctx, name := t.Context(), aws.String("media")
	must[*s3.CreateBucketOutput](t)(c.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: name}))
	keys := []string{"a", "a/1", "a/2", "a/b/3", "b", "ba/4", "c/5", "c/6", "é"}
	for _, i := range []int{4, 0, 8, 2, 1, 3, 7, 6, 5} {
		put(t, c, *name, keys[i], keys[i])
	}
	for _, tc := range []struct{ name, prefix, delimiter, want string }{
		{"all", "", "", "a a/1 a/2 a/b/3 b ba/4 c/5 c/6 é"},
		{"top", "", "/", "a a/* b ba/* c/* é"},
		{"folder", "a/", "/", "a/1 a/2 a/b/*"},
		{"prefix", "b", "", "b ba/4"},
		{"prefix with folders", "b", "/", "b ba/*"},
		{"prefix that is a key", "a", "/", "a a/*"},
		{"nothing", "z", "/", ""},
	} {
		for _, size := range []int32{1, 2, 1000} {
			t.Run(fmt.Sprintf("%s, %d a page", tc.name, size), func(t *testing.T) {
				t.Parallel()
				var got []string
				pages := s3.NewListObjectsV2Paginator(c, &s3.ListObjectsV2Input{Bucket: name, Prefix: &tc.prefix, Delimiter: &tc.delimiter, MaxKeys: &size})
				for pages.HasMorePages() {
					page := must[*s3.ListObjectsV2Output](t)(pages.NextPage(ctx))
					for _, o := range page.Contents {
						got = append(got, *o.Key)
					}
					for _, p := range page.CommonPrefixes {
						got = append(got, *p.Prefix+"*")
					}
					if n := len(page.Contents) + len(page.CommonPrefixes); n > int(size) {
						t.Errorf("a page has %d entries, want at most %d", n, size)
					}
				}
				slices.Sort(got)
				if diff := cmp.Diff(tc.want, strings.Join(got, " ")); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		}
	}
}

// A bucket is its account's, and its name is taken for all.
func TestAccounts(t *testing.T) {
	t.Parallel()
	store := open(t, t.TempDir())
	server := serve(t, store, false)
	mine, theirs := client(server, one), client(server, two)
	ctx, name := t.Context(), aws.String("media")
	must[*s3.CreateBucketOutput](t)(mine.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: name}))
	put(t, mine, *name, "x", "secret")
	_, err := theirs.GetObject(ctx, &s3.GetObjectInput{Bucket: name, Key: aws.String("x")})
	wantCode(t, err, "NoSuchBucket")
	_, err = theirs.PutObject(ctx, &s3.PutObjectInput{Bucket: name, Key: aws.String("x"), Body: strings.NewReader("y")})
	wantCode(t, err, "NoSuchBucket")
	_, err = theirs.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: name})
	wantCode(t, err, "NoSuchBucket")
	_, err = theirs.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: name})
	wantCode(t, err, "BucketAlreadyExists")
	if n := len(must[*s3.ListBucketsOutput](t)(theirs.ListBuckets(ctx, &s3.ListBucketsInput{})).Buckets); n != 0 {
		t.Errorf("the other account sees %d buckets, want none", n)
	}
	if n := len(must[*s3.ListBucketsOutput](t)(mine.ListBuckets(ctx, &s3.ListBucketsInput{})).Buckets); n != 1 {
		t.Errorf("the owner sees %d buckets, want 1", n)
	}
	if _, err := store.Get(ctx, two, *name, "x"); !fault.Is(err, fault.NotFound) {
		t.Errorf("err = %v, want NotFound", err)
	}
	if err := store.Ensure(two, *name); !fault.Is(err, fault.Conflict) {
		t.Errorf("err = %v, want Conflict", err)
	}
	if err := store.Ensure(one, "No Bucket"); !fault.Is(err, fault.InvalidParameters) {
		t.Errorf("err = %v, want InvalidParameters", err)
	}
}

func TestPresigned(t *testing.T) {
	t.Parallel()
	server := serve(t, open(t, t.TempDir()), false)
	c := client(server, one)
	ctx, name, key := t.Context(), aws.String("media"), aws.String("x y.txt")
	must[*s3.CreateBucketOutput](t)(c.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: name}))
	presign := s3.NewPresignClient(c)
	do := func(method, url, body string) (int, string) {
		r := must[*http.Request](t)(http.NewRequestWithContext(ctx, method, url, strings.NewReader(body)))
		res, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		return res.StatusCode, string(must[[]byte](t)(io.ReadAll(res.Body)))
	}
	up, err := presign.PresignPutObject(ctx, &s3.PutObjectInput{Bucket: name, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	if status, body := do(http.MethodPut, up.URL, "hello"); status != http.StatusOK {
		t.Fatalf("put = %d %s", status, body)
	}
	down, err := presign.PresignGetObject(ctx, &s3.GetObjectInput{Bucket: name, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	if status, body := do(http.MethodGet, down.URL, ""); status != http.StatusOK || body != "hello" {
		t.Errorf("get = %d %s", status, body)
	}
	for _, tc := range []struct{ name, method, url, code string }{
		{"another method", http.MethodDelete, down.URL, "SignatureDoesNotMatch"},
		{"another key", http.MethodGet, strings.Replace(down.URL, "x%20y.txt", "x", 1), "SignatureDoesNotMatch"},
		{"a longer life", http.MethodGet, strings.Replace(down.URL, "X-Amz-Expires=900", "X-Amz-Expires=9000", 1), "SignatureDoesNotMatch"},
		{"an unknown signer", http.MethodGet, strings.Replace(down.URL, "AKIATEST", "AKIAREST", 1), "InvalidAccessKeyId"},
		{"another Region", http.MethodGet, strings.Replace(down.URL, "us-east-1", "eu-west-1", 1), "SignatureDoesNotMatch"},
		{"an old date", http.MethodGet, strings.Replace(down.URL, "X-Amz-Date=20", "X-Amz-Date=19", 1), "RequestTimeTooSkewed"},
		{"no signature", http.MethodGet, server.URL + "/media/x", "AccessDenied"},
		{"half a signature", http.MethodGet, server.URL + "/media/x?X-Amz-Credential=a", "AuthorizationHeaderMalformed"},
	} {
		if status, body := do(tc.method, tc.url, ""); status < 400 || !strings.Contains(body, "<Code>"+tc.code+"</Code>") {
			t.Errorf("%s: %d %s, want %s", tc.name, status, body, tc.code)
		}
	}
}

// A bucket in the host's name is the same bucket.
func TestVirtualHost(t *testing.T) {
	t.Parallel()
	server := serve(t, open(t, t.TempDir()), false)
	put1 := client(server, one)
	must[*s3.CreateBucketOutput](t)(put1.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("media")}))
	put(t, put1, "media", "a b/c", "hello")
	key := awsapitest.Key(one)
	transport := &http.Transport{DialContext: dialTo(server)}
	t.Cleanup(transport.CloseIdleConnections)
	host := s3.New(s3.Options{Region: "us-east-1", BaseEndpoint: aws.String("http://localhost:7766"), HTTPClient: &http.Client{Transport: transport},
		Credentials: credentials.NewStaticCredentialsProvider(key.ID, key.Secret.Reveal(), "")})
	if got := get(t, host, "media", "a b/c"); got != "hello" {
		t.Errorf("got %q", got)
	}
}

// An upload that breaks off leaves what was there before.
func TestInterruptedPut(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	store := open(t, dir)
	if err := store.Ensure(one, "media"); err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	file := func(size int64, r io.Reader) media.Object {
		return media.Object{Size: size, Type: "text/plain", Body: io.NopCloser(r)}
	}
	if err := store.Put(ctx, one, "media", "x", file(5, strings.NewReader("first"))); err != nil {
		t.Fatal(err)
	}
	for name, broken := range map[string]media.Object{
		"broken": file(10, io.MultiReader(strings.NewReader("sec"), iotest.ErrReader(errors.New("boom")))),
		"short":  file(10, strings.NewReader("second")),
		"long":   file(3, strings.NewReader("second")),
	} {
		if err := store.Put(ctx, one, "media", "x", broken); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	o, err := store.Get(ctx, one, "media", "x")
	if err != nil {
		t.Fatal(err)
	}
	defer o.Body.Close()
	if got, err := io.ReadAll(o.Body); err != nil || !bytes.Equal(got, []byte("first")) || o.Type != "text/plain" || o.Size != 5 {
		t.Errorf("got %q of %d, %v", got, o.Size, err)
	}
	if left, err := os.ReadDir(filepath.Join(dir, ".tmp")); err != nil || len(left) != 0 {
		t.Errorf("%d unfinished uploads are left (%v), want none", len(left), err)
	}
}

// A file that is no object is told, not served.
func TestOpenRefusesStrangers(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{"empty": "", "short": "x", "no object": "not an object at all", "bad length": "{}\xff\xff\xff\xffwxo1",
		"bad index": "{]\x00\x00\x00\x02wxo1", "wrong size": `hello{"key":"x","size":4}` + "\x00\x00\x00\x14wxo1"} {
		dir := t.TempDir()
		if err := open(t, dir).Ensure(one, "media"); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "media", "stranger"), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := bucket.Open(dir); err == nil {
			t.Errorf("%s: opened without an error", name)
		}
	}
}
