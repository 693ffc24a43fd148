package compat

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The commands of the guide's pages on media: a bucket, a file in it, the file to WhatsApp and back into the bucket.
func TestAWSCLIMovesMedia(t *testing.T) {
	t.Parallel()
	n := start(t)
	aws := awsCLI(t, n)
	ok := func(args ...string) string {
		t.Helper()
		stdout, stderr, err := aws(args...)
		if err != nil {
			t.Fatalf("aws %s: %v: %s", strings.Join(args, " "), err, stderr)
		}
		return stdout
	}
	dir := t.TempDir()
	file, back := filepath.Join(dir, "a.pdf"), filepath.Join(dir, "b.pdf")
	content := "%PDF-1.7\n" + strings.Repeat("0123456789abcdef", 600_000) // more than the CLI sends in one piece
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	same := func(what, path string) {
		t.Helper()
		if got, err := os.ReadFile(path); err != nil || string(got) != content {
			t.Errorf("%s: %d bytes, %v; want %d", what, len(got), err, len(content))
		}
	}

	if got := ok("s3", "ls"); !strings.HasSuffix(strings.TrimSpace(got), " whatsapp-media") {
		t.Errorf("buckets: %q", got)
	}
	ok("s3", "mb", "s3://my-media")
	ok("s3", "cp", "--only-show-errors", file, "s3://my-media/out/a.pdf")
	if got := ok("s3", "ls", "s3://my-media/"); !strings.Contains(got, "PRE out/") {
		t.Errorf("listing: %q", got)
	}
	if got := ok("s3", "ls", "s3://my-media/out/"); !strings.Contains(got, "9600009 a.pdf") {
		t.Errorf("listing: %q", got)
	}
	ok("s3", "cp", "--only-show-errors", "s3://my-media/out/a.pdf", back)
	same("copied back", back)

	ok("s3api", "create-bucket", "--bucket", "other-media")
	ok("s3api", "put-object", "--bucket", "other-media", "--key", "k", "--body", file, "--content-type", "application/pdf")
	if got := ok("s3api", "head-object", "--bucket", "other-media", "--key", "k"); !strings.Contains(got, `"ContentType": "application/pdf"`) {
		t.Errorf("head: %s", got)
	}
	ok("s3api", "get-object", "--bucket", "other-media", "--key", "k", back)
	same("got", back)

	link := strings.TrimSpace(ok("s3", "presign", "s3://my-media/out/a.pdf"))
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, link, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if res.Body.Close(); res.StatusCode != http.StatusOK || res.ContentLength != int64(len(content)) {
		t.Errorf("presigned: %s of %d bytes", res.Status, res.ContentLength)
	}

	for name, source := range map[string][]string{
		"file":      {"--source-s3-file", "bucketName=my-media,key=out/a.pdf"},
		"presigned": {"--source-s3-presigned-url", `{"url":"` + link + `","headers":{"Content-Type":"application/pdf"}}`},
	} {
		var posted struct{ MediaID string }
		answer := ok(append([]string{"socialmessaging", "post-whatsapp-message-media", "--origination-phone-number-id", phoneID}, source...)...)
		if err := json.Unmarshal([]byte(answer), &posted); err != nil {
			t.Fatal(err)
		}
		var got struct {
			MIMEType string
			FileSize int
		}
		answer = ok("socialmessaging", "get-whatsapp-message-media", "--media-id", posted.MediaID, "--origination-phone-number-id", phoneID,
			"--destination-s3-file", "bucketName=my-media,key="+name+"_")
		if err := json.Unmarshal([]byte(answer), &got); err != nil || got.MIMEType != "application/pdf" || got.FileSize != len(content) {
			t.Errorf("%s: %s, %v", name, answer, err)
		}
		ok("s3", "cp", "--only-show-errors", "s3://my-media/"+name+"_"+posted.MediaID+".pdf", back)
		same(name, back)
		if got := ok("socialmessaging", "delete-whatsapp-message-media", "--media-id", posted.MediaID, "--origination-phone-number-id", phoneID); !strings.Contains(got, "true") {
			t.Errorf("deleted: %s", got)
		}
	}
	var sample struct{ MetaHeaderHandle string }
	answer := ok("socialmessaging", "create-whatsapp-message-template-media", "--id", wabaID, "--source-s3-file", "bucketName=my-media,key=out/a.pdf")
	if err := json.Unmarshal([]byte(answer), &sample); err != nil || sample.MetaHeaderHandle == "" {
		t.Errorf("sample: %s, %v", answer, err)
	}
	ok("s3", "rm", "--only-show-errors", "s3://my-media/out/a.pdf")
	ok("s3", "rb", "--force", "s3://my-media")
	if got := ok("s3", "ls"); strings.Contains(got, "my-media") {
		t.Errorf("buckets: %q", got)
	}
}
