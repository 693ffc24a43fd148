package bucket

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/rclone/gofakes3"

	"github.com/waxwing-messaging/waxwing/internal/fault"
)

// Handler serves the S3 protocol over a store: path-style addresses, one level of authority. Every request has to carry the
// account it is made for (see For); one without finds no buckets. Times and signatures are not looked at again.
func Handler(s *Store) http.Handler {
	return gofakes3.New(backend{Store: s, metas: new(sync.Map)}, gofakes3.WithTimeSkewLimit(0), gofakes3.WithoutVersioning(),
		gofakes3.WithUploadOwner(account)).Server()
}

type accountKey struct{}

// For returns the request as one made by an account.
func For(r *http.Request, account string) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), accountKey{}, account))
}

func account(ctx context.Context) string {
	id, _ := ctx.Value(accountKey{}).(string)
	return id
}

// backend is a Store as gofakes3 wants it. The account is in each call's context.
type backend struct {
	*Store
	metas *sync.Map // headers of uploads in parts, by gofakes3.UploadID
}

var (
	_ gofakes3.MultipartBackend     = backend{}
	_ gofakes3.ObjectTaggingBackend = backend{}
)

// bucket returns the caller's bucket.
func (b backend) bucket(ctx context.Context, name string) (*bucket, error) {
	if found := b.find(account(ctx), name); found != nil && account(ctx) != "" {
		return found, nil
	}
	return nil, gofakes3.BucketNotFound(name)
}

// wireError names an error of the store on the wire.
func wireError(err error, name string) error {
	switch {
	case errors.Is(err, errShort):
		return gofakes3.ErrIncompleteBody
	case errors.Is(err, errGone):
		return gofakes3.BucketNotFound(name)
	default:
		return err
	}
}

func (o *object) tag() string { return `"` + hex.EncodeToString(o.MD5) + `"` }

func (o *object) modified() time.Time {
	t, err := http.ParseTime(o.Meta["Last-Modified"])
	if err != nil {
		return time.Time{}
	}
	return t
}

// stamped adds the time at which an object is stored to its headers.
func stamped(meta map[string]string) map[string]string {
	meta["Last-Modified"] = time.Now().UTC().Format(http.TimeFormat)
	return meta
}

// ListBuckets implements gofakes3.Backend.
func (b backend) ListBuckets(ctx context.Context) ([]gofakes3.BucketInfo, error) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	var list []gofakes3.BucketInfo
	for _, one := range b.buckets {
		if one.account == account(ctx) {
			list = append(list, gofakes3.BucketInfo{Name: one.name, CreationDate: gofakes3.NewContentTime(one.created)})
		}
	}
	return list, nil
}

// ListBucket implements gofakes3.Backend. Keys that share what comes before the delimiter are one prefix, and count as one.
func (b backend) ListBucket(ctx context.Context, name string, prefix *gofakes3.Prefix, page gofakes3.ListBucketPage) (*gofakes3.ObjectList, error) {
	in, err := b.bucket(ctx, name)
	if err != nil {
		return nil, err
	}
	var start, delimiter string
	if prefix != nil {
		start, delimiter = prefix.Prefix, prefix.Delimiter
	}
	list := gofakes3.NewObjectList()
	most := page.MaxKeys
	if most <= 0 {
		most = gofakes3.MaxBucketKeys
	}
	last, count := "", int64(0)
	in.page(max(page.Marker, before(start)), func(o *object) bool {
		if !strings.HasPrefix(o.Key, start) {
			return o.Key < start
		}
		group := ""
		if delimiter != "" {
			if i := strings.Index(o.Key[len(start):], delimiter); i >= 0 {
				group = o.Key[:len(start)+i+len(delimiter)]
			}
		}
		if group != "" && (group == last || group == page.Marker) {
			return true // told already, here or on the page before
		}
		if count == most {
			list.IsTruncated, list.NextMarker = true, last
			return false
		}
		count++
		if group != "" {
			list.AddPrefix(group)
			last = group
			return true
		}
		last = o.Key
		list.Add(&gofakes3.Content{Key: o.Key, LastModified: gofakes3.NewContentTime(o.modified()), ETag: o.tag(), Size: o.Size,
			StorageClass: gofakes3.StorageStandard})
		return true
	})
	return list, nil
}

// before is a key that sorts ahead of everything with a prefix, and near it.
func before(prefix string) string {
	if prefix == "" {
		return ""
	}
	return prefix[:len(prefix)-1]
}

// CreateBucket implements gofakes3.Backend.
func (b backend) CreateBucket(ctx context.Context, name string) error {
	id := account(ctx)
	if id == "" || b.find(id, name) != nil {
		return gofakes3.ResourceError(gofakes3.ErrBucketAlreadyExists, name)
	}
	err := b.Ensure(id, name)
	if fault.Is(err, fault.Conflict) {
		return gofakes3.ResourceError(gofakes3.ErrBucketAlreadyExists, name)
	}
	return err
}

// BucketExists implements gofakes3.Backend.
func (b backend) BucketExists(ctx context.Context, name string) (bool, error) {
	_, err := b.bucket(ctx, name)
	return err == nil, nil
}

// DeleteBucket implements gofakes3.Backend.
func (b backend) DeleteBucket(ctx context.Context, name string) error {
	in, err := b.bucket(ctx, name)
	if err != nil {
		return err
	}
	empty, err := b.drop(in)
	if err == nil && !empty {
		return gofakes3.ResourceError(gofakes3.ErrBucketNotEmpty, name)
	}
	return err
}

// GetObject implements gofakes3.Backend.
func (b backend) GetObject(ctx context.Context, name, key string, span *gofakes3.ObjectRangeRequest) (*gofakes3.Object, error) {
	in, err := b.bucket(ctx, name)
	if err != nil {
		return nil, err
	}
	o, f, err := in.open(key)
	if err != nil {
		return nil, err
	}
	if o == nil {
		return nil, gofakes3.KeyNotFound(key)
	}
	part, err := span.Range(o.Size)
	if err != nil {
		f.Close()
		return nil, err
	}
	from, n := int64(0), o.Size
	if part != nil {
		from, n = part.Start, part.Length
	}
	return &gofakes3.Object{Name: key, Metadata: o.Meta, Size: o.Size, Hash: o.MD5, Range: part,
		Contents: contents{io.NewSectionReader(f, from, n), f}}, nil
}

// HeadObject implements gofakes3.Backend.
func (b backend) HeadObject(ctx context.Context, name, key string) (*gofakes3.Object, error) {
	in, err := b.bucket(ctx, name)
	if err != nil {
		return nil, err
	}
	o := in.get(key)
	if o == nil {
		return nil, gofakes3.KeyNotFound(key)
	}
	return &gofakes3.Object{Name: key, Metadata: o.Meta, Size: o.Size, Hash: o.MD5, Contents: http.NoBody}, nil
}

// DeleteObject implements gofakes3.Backend.
func (b backend) DeleteObject(ctx context.Context, name, key string) (gofakes3.ObjectDeleteResult, error) {
	in, err := b.bucket(ctx, name)
	if err != nil {
		return gofakes3.ObjectDeleteResult{}, err
	}
	return gofakes3.ObjectDeleteResult{}, in.remove(key)
}

// DeleteMulti implements gofakes3.Backend.
func (b backend) DeleteMulti(ctx context.Context, name string, keys ...string) (gofakes3.MultiDeleteResult, error) {
	var result gofakes3.MultiDeleteResult
	in, err := b.bucket(ctx, name)
	if err != nil {
		return result, err
	}
	for _, key := range keys {
		if err := in.remove(key); err != nil {
			result.Error = append(result.Error, gofakes3.ErrorResult{Key: key, Code: gofakes3.ErrInternal})
			continue
		}
		result.Deleted = append(result.Deleted, gofakes3.ObjectID{Key: key})
	}
	return result, nil
}

// PutObject implements gofakes3.Backend.
func (b backend) PutObject(ctx context.Context, name, key string, meta map[string]string, input io.Reader, size int64) (gofakes3.PutObjectResult, error) {
	in, err := b.bucket(ctx, name)
	if err != nil {
		return gofakes3.PutObjectResult{}, err
	}
	_, err = b.put(in, key, meta, input, size)
	return gofakes3.PutObjectResult{}, wireError(err, name)
}

// CopyObject implements gofakes3.Backend.
func (b backend) CopyObject(ctx context.Context, fromBucket, fromKey, toBucket, toKey string, meta map[string]string) (gofakes3.CopyObjectResult, error) {
	source, err := b.GetObject(ctx, fromBucket, fromKey, nil)
	if err != nil {
		return gofakes3.CopyObjectResult{}, err
	}
	defer source.Contents.Close()
	to, err := b.bucket(ctx, toBucket)
	if err != nil {
		return gofakes3.CopyObjectResult{}, err
	}
	o, err := b.put(to, toKey, meta, source.Contents, source.Size)
	if err != nil {
		return gofakes3.CopyObjectResult{}, wireError(err, toBucket)
	}
	return gofakes3.CopyObjectResult{ETag: o.tag(), LastModified: gofakes3.NewContentTime(o.modified())}, nil
}

// SetObjectTagging implements gofakes3.ObjectTaggingBackend, by storing the object again.
func (b backend) SetObjectTagging(ctx context.Context, name, key, tagging string) error {
	source, err := b.GetObject(ctx, name, key, nil)
	if err != nil {
		return err
	}
	defer source.Contents.Close()
	in, err := b.bucket(ctx, name)
	if err != nil {
		return err
	}
	meta := make(map[string]string, len(source.Metadata)+1)
	for k, v := range source.Metadata {
		meta[k] = v
	}
	delete(meta, gofakes3.TaggingMetadataKey)
	if tagging != "" {
		meta[gofakes3.TaggingMetadataKey] = tagging
	}
	_, err = b.put(in, key, meta, source.Contents, source.Size)
	return wireError(err, name)
}
