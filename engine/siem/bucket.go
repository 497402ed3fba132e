package siem

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"path"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/cloudops-manager/cloudops/engine"
)

// bucket puts the log into objects of S3, or of what speaks like it. All of
// them, one after the other by name, are an export.
type bucket struct {
	name, prefix string
	client       *s3.Client
}

func (o Options) newBucket(ctx context.Context, u *url.URL, c engine.ForwarderConfig) (*bucket, error) {
	if c.Credential == "" || c.Region == "" {
		return nil, engine.Invalid("s3 needs a region and the name of stored credentials with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
	}
	creds, err := o.Credential(ctx, c.Credential)
	if err != nil {
		return nil, err
	}
	vars, err := creds.Variables()
	if err != nil {
		return nil, err
	}
	id, secret := vars["AWS_ACCESS_KEY_ID"].Reveal(), vars["AWS_SECRET_ACCESS_KEY"].Reveal()
	if id == "" || secret == "" {
		return nil, engine.Invalid("credentials %s have no AWS_ACCESS_KEY_ID or no AWS_SECRET_ACCESS_KEY", c.Credential)
	}
	options := s3.Options{Region: c.Region, HTTPClient: o.HTTP(nil),
		Credentials: credentials.NewStaticCredentialsProvider(id, secret, vars["AWS_SESSION_TOKEN"].Reveal())}
	if c.Endpoint != "" {
		options.BaseEndpoint, options.UsePathStyle = aws.String(c.Endpoint), true
	}
	return &bucket{u.Host, strings.Trim(u.Path, "/"), s3.New(options)}, nil
}

// Ship implements engine.Shipper: an object a shipment, by the day of its first
// event. Where it comes again it replaces itself, or overlaps.
func (b *bucket) Ship(ctx context.Context, s engine.Shipment) error {
	key := path.Join(b.prefix, s.Events[0].At.UTC().Format("2006/01/02"), fmt.Sprintf("%020d-%020d.jsonl", s.From, s.To))
	_, err := b.client.PutObject(ctx, &s3.PutObjectInput{Bucket: &b.name, Key: &key, Body: bytes.NewReader(lines(s)), ContentType: aws.String("application/jsonl")})
	return err
}
