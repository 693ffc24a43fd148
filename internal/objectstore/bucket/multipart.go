package bucket

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"github.com/rclone/gofakes3"
)

// An upload in parts is a directory with a file for each part. gofakes3 remembers the upload itself and its metadata, so one
// that a restart interrupted is gone.

func (b backend) upload(id gofakes3.UploadID) string {
	return filepath.Join(b.tmp, "parts-"+filepath.Base(string(id)))
}

// CreateMultipartUpload implements gofakes3.MultipartBackend.
func (b backend) CreateMultipartUpload(ctx context.Context, name, _ string, meta map[string]string) (gofakes3.UploadID, error) {
	if _, err := b.bucket(ctx, name); err != nil {
		return "", err
	}
	id := gofakes3.UploadID(uuid.NewString())
	b.metas.Store(id, meta)
	return id, os.Mkdir(b.upload(id), 0o700)
}

// UploadPart implements gofakes3.MultipartBackend.
func (b backend) UploadPart(_ context.Context, _, _ string, id gofakes3.UploadID, part int, size int64, body io.Reader) (string, error) {
	f, err := os.CreateTemp(b.upload(id), ".part-*")
	if err != nil {
		return "", noUpload(err)
	}
	defer os.Remove(f.Name()) // gone under this name once it is complete
	defer f.Close()
	hash := md5.New()
	n, err := io.Copy(io.MultiWriter(f, hash), body)
	if err != nil {
		return "", err
	}
	if n != size {
		return "", gofakes3.ErrIncompleteBody
	}
	tag := hex.EncodeToString(hash.Sum(nil))
	if err := f.Close(); err != nil {
		return "", err
	}
	return `"` + tag + `"`, noUpload(os.Rename(f.Name(), b.part(id, part, tag)))
}

// part is the file of one version of a part; the tag tells which one is meant when a part was sent twice.
func (b backend) part(id gofakes3.UploadID, part int, tag string) string {
	return filepath.Join(b.upload(id), strconv.Itoa(part)+"-"+tag)
}

// CompleteMultipartUpload implements gofakes3.MultipartBackend.
func (b backend) CompleteMultipartUpload(ctx context.Context, name, key string, id gofakes3.UploadID,
	list *gofakes3.CompleteMultipartUploadRequest) (gofakes3.VersionID, string, error) {
	in, err := b.bucket(ctx, name)
	if err != nil {
		return "", "", err
	}
	if len(list.Parts) == 0 {
		return "", "", gofakes3.ErrMalformedXML
	}
	parts := &assembly{}
	defer parts.Close()
	for i, p := range list.Parts {
		if i > 0 && p.PartNumber <= list.Parts[i-1].PartNumber {
			return "", "", gofakes3.ErrInvalidPartOrder
		}
		tag := strings.Trim(p.ETag, `"`)
		if _, err := hex.DecodeString(tag); err != nil {
			return "", "", gofakes3.ErrInvalidPart
		}
		path := b.part(id, p.PartNumber, tag)
		if _, err := os.Stat(path); err != nil {
			return "", "", gofakes3.ErrInvalidPart
		}
		parts.paths = append(parts.paths, path)
	}
	meta, _ := b.metas.Load(id)
	headers, _ := meta.(map[string]string)
	o, err := b.put(in, key, headers, parts, -1)
	if err != nil {
		return "", "", wireError(err, name)
	}
	b.forget(id)
	return "", o.tag(), nil
}

// AbortMultipartUpload implements gofakes3.MultipartBackend.
func (b backend) AbortMultipartUpload(_ context.Context, _, _ string, id gofakes3.UploadID) error {
	b.forget(id)
	return nil
}

// forget removes an upload's parts. What cannot be removed now is when the store is opened again.
func (b backend) forget(id gofakes3.UploadID) {
	b.metas.Delete(id)
	os.RemoveAll(b.upload(id))
}

func noUpload(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return gofakes3.ErrNoSuchUpload
	}
	return err
}

// assembly reads files one after the other, opening each only when it is due.
type assembly struct {
	paths []string
	file  *os.File
}

func (a *assembly) Read(p []byte) (int, error) {
	for {
		if a.file == nil {
			if len(a.paths) == 0 {
				return 0, io.EOF
			}
			var err error
			if a.file, err = os.Open(a.paths[0]); err != nil {
				return 0, err
			}
			a.paths = a.paths[1:]
		}
		n, err := a.file.Read(p)
		if n > 0 || !errors.Is(err, io.EOF) {
			return n, err
		}
		a.Close()
	}
}

// Close closes the file being read.
func (a *assembly) Close() error {
	if a.file == nil {
		return nil
	}
	f := a.file
	a.file = nil
	return f.Close()
}
