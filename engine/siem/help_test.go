package siem

import (
	"net/url"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

func mustURL(t *testing.T, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func bucketIn(region string) *types.CreateBucketConfiguration {
	return &types.CreateBucketConfiguration{LocationConstraint: types.BucketLocationConstraint(region)}
}
