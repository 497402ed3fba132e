package client

import "time"

// Credential is what a cloud is authenticated with, without its values.
type Credential struct {
	Name        string `json:"name"`
	Kind        string `json:"kind"`
	Cloud       string `json:"cloud"`
	Description string `json:"description,omitempty"`

	Fields    map[string]string `json:"fields" doc:"What is no secret, by the name of the field."`
	Keys      []string          `json:"keys" doc:"Names of the values: environment variables, or fields that are secret."`
	Plan      *CredentialPart   `json:"plan,omitempty" doc:"What plans, drift checks and previews get instead."`
	CreatedAt time.Time         `json:"created_at"`
	UpdatedAt time.Time         `json:"updated_at"`
}

// CredentialPart is what plans get.
type CredentialPart struct {
	Fields map[string]string `json:"fields" doc:"What is no secret, by the name of the field."`
	Keys   []string          `json:"keys" doc:"Names of the values: environment variables, or fields that are secret."`
}

// PutCredential stores credentials. Values are never shown again.
type PutCredential struct {
	Kind        string `json:"kind,omitempty" enum:"environment,aws-static,aws-assume-role,aws-web-identity,azure-service-principal,azure-federated,gcp-service-account-key,gcp-workload-identity" default:"environment"`
	Cloud       string `json:"cloud,omitempty" enum:"aws,azure,gcp,local" doc:"Follows from the kind, but for environment."`
	Description string `json:"description,omitempty"`

	Fields map[string]string  `json:"fields,omitempty" doc:"What is no secret, such as role_arn, by the name of the field."`
	Values map[string]string  `json:"values,omitempty" doc:"Write-only: environment variables, or fields that are secret."`
	Plan   *PutCredentialPart `json:"plan,omitempty" doc:"What plans, drift checks and previews get instead: these values and no others, and these fields in place of those beside."`
}

// PutCredentialPart is what plans get.
type PutCredentialPart struct {
	Fields map[string]string `json:"fields,omitempty" doc:"What is no secret, such as role_arn, by the name of the field."`
	Values map[string]string `json:"values,omitempty" doc:"Write-only: environment variables, or fields that are secret."`
}

// Issuer is who vouches to clouds for steps.
type Issuer struct {
	URL       string      `json:"url" doc:"What trust policies name."`
	Reachable bool        `json:"reachable" doc:"Whether the address is one that clouds accept: HTTPS."`
	Keys      []IssuerKey `json:"keys"`
}

// IssuerKey is a published key.
type IssuerKey struct {
	ID        string    `json:"id"`
	CreatedAt time.Time `json:"created_at"`
	SignsAt   time.Time `json:"signs_at" doc:"From when on it signs."`
	Signing   bool      `json:"signing" doc:"It signs now."`
}

// RotateIssuer makes a new key.
type RotateIssuer struct {
	Withdraw bool `json:"withdraw,omitempty" doc:"The keys before it are withdrawn at once, and tokens that they signed are no good any more."`
}
