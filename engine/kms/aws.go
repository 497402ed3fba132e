package kms

import (
	"context"
	"strings"

	"github.com/cloudops-manager/cloudops/engine/amazon"
	"github.com/cloudops-manager/cloudops/engine/rest"
)

// awsKey is a symmetric key in AWS KMS.
type awsKey struct {
	named
	id     string // ARN, identifier or alias
	client *amazon.Client
}

const awsAdvice = "the server needs kms:Encrypt and kms:Decrypt on the key, and credentials where the AWS CLI would find them"

// openAWS takes aws-kms://ARN, aws-kms://alias/NAME?region=REGION or a key's identifier.
func openAWS(ctx context.Context, p place, getenv func(string) string) (Key, error) {
	region := p.query.Get("region")
	if parts := strings.Split(p.path, ":"); len(parts) == 6 && parts[0] == "arn" && parts[2] == "kms" {
		region = parts[3]
	}
	for _, name := range []string{"AWS_REGION", "AWS_DEFAULT_REGION"} {
		if region == "" {
			region = getenv(name)
		}
	}
	if p.path == "" || amazon.CheckRegion(region) != nil {
		return nil, p.wrong("aws-kms://arn:aws:kms:eu-west-1:111122223333:key/... or aws-kms://alias/cloudops?region=eu-west-1")
	}
	credentials, err := amazon.Ambient(ctx)
	if err != nil {
		return nil, explain(err, awsAdvice)
	}
	endpoint := getenv("AWS_ENDPOINT_URL_KMS")
	if endpoint == "" {
		endpoint = getenv("AWS_ENDPOINT_URL")
	}
	return &awsKey{p.uri, p.path, &amazon.Client{Service: "kms", Region: region, Endpoint: endpoint, Credentials: credentials, HTTP: rest.NewClient()}}, nil
}

// awsCall is a request or an answer. Source:
// https://docs.aws.amazon.com/kms/latest/APIReference/API_Encrypt.html.
type awsCall struct {
	KeyID             string            `json:"KeyId,omitempty"`
	Plaintext         []byte            `json:",omitempty"`
	CiphertextBlob    []byte            `json:",omitempty"`
	EncryptionContext map[string]string `json:",omitempty"`
}

func awsContext(associatedData []byte) map[string]string {
	return map[string]string{"cloudops": string(associatedData)}
}

func (k *awsKey) EncryptWithContext(ctx context.Context, plaintext, associatedData []byte) ([]byte, error) {
	var out awsCall
	err := k.client.Call(ctx, "TrentService.Encrypt", awsCall{KeyID: k.id, Plaintext: plaintext, EncryptionContext: awsContext(associatedData)}, &out)
	return out.CiphertextBlob, explain(err, awsAdvice)
}

func (k *awsKey) DecryptWithContext(ctx context.Context, ciphertext, associatedData []byte) ([]byte, error) {
	var out awsCall
	err := k.client.Call(ctx, "TrentService.Decrypt", awsCall{KeyID: k.id, CiphertextBlob: ciphertext, EncryptionContext: awsContext(associatedData)}, &out)
	return out.Plaintext, explain(err, awsAdvice)
}
