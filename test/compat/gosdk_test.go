package compat

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/waxwing-messaging/waxwing/internal/config"
)

// socialSDK is the module of the SDK's client for social-messaging. Debian has its source in a package.
const (
	socialSDK   = "github.com/aws/aws-sdk-go-v2/service/socialmessaging"
	debianPaths = "/usr/share/gocode/src"
)

// TestGoSDKOfSocialMessaging runs the tests of gosdk/, a module of its own, with AWS's SDK for Go. The client is taken from the
// module proxy, or from where WAXWING_GOCODE or Debian's package has its source; where it cannot be had the test is skipped.
func TestGoSDKOfSocialMessaging(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, file := range []string{"go.mod", "gosdk_test.go"} {
		text, err := os.ReadFile(filepath.Join("gosdk", file))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, file), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run := func(env []string, args ...string) ([]byte, error) {
		cmd := exec.CommandContext(t.Context(), "go", args...)
		cmd.Dir, cmd.Env = dir, append(env, "GOFLAGS=-mod=mod", "GOWORK=off")
		return cmd.CombinedOutput()
	}
	for _, gocode := range []string{os.Getenv("WAXWING_GOCODE"), debianPaths} {
		source := filepath.Join(gocode, socialSDK)
		if _, err := os.Stat(source); gocode == "" || errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if out, err := run(os.Environ(), "mod", "edit", "-replace", socialSDK+"="+source); err != nil {
			t.Fatalf("go mod edit: %v\n%s", err, out)
		}
		break
	}
	if out, err := run(os.Environ(), "mod", "tidy"); err != nil {
		if strings.Contains(string(out), socialSDK) {
			t.Skipf("the SDK's client for social-messaging cannot be had here:\n%s", out)
		}
		t.Fatalf("go mod tidy: %v\n%s", err, out)
	}

	var strict []string
	for _, operation := range operations() {
		strict = append(strict, "limits."+operation+"=0.01")
	}
	open, limited, signUp := start(t), start(t, strict...), start(t)
	open.put(t, "gosdk/picture.jpeg", "image/jpeg", "\xff\xd8\xff\xe0\x00\x10JFIF, says the gopher")
	env := open.environment(t, "HOME="+os.Getenv("HOME"), "WAXWING_SIMULATOR_URL="+open.simulator, "WAXWING_THROTTLED_URL="+limited.url,
		"WAXWING_SIGNUP_URL="+signUp.url, "WAXWING_OPERATIONS="+strings.Join(operations(), ","))
	out, err := run(env, "test", "-count=1", "-v", ".")
	if err != nil {
		t.Fatalf("go test: %v\n%s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, "the SDK knows") || strings.HasPrefix(line, "--- ") {
			t.Log(strings.TrimSpace(line))
		}
	}
	if !strings.Contains(string(out), fmt.Sprint("--- PASS: ", "TestThrottled")) {
		t.Errorf("tests were skipped:\n%s", out)
	}
}

// put stores an object in the development world's bucket.
func (n node) put(t *testing.T, key, contentType, body string) {
	t.Helper()
	c := s3.New(s3.Options{Region: region, BaseEndpoint: &n.url, UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider(config.DevAccessKeyID, config.DevSecretAccessKey.Reveal(), "")})
	if _, err := c.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("whatsapp-media"), Key: &key, ContentType: &contentType,
		Body: strings.NewReader(body)}); err != nil {
		t.Fatal(err)
	}
}
