# A fake AWS is meant, at AWS_ENDPOINT_URL: with these keys the real one refuses.
provider "aws" {
  region            = "eu-west-1"
  access_key        = "test"
  secret_key        = "test"
  s3_use_path_style = true
}

variables {
  name = "payments-receipts"
}

run "closes_and_encrypts_the_bucket" {
  assert {
    condition     = output.bucket_name == "payments-receipts" && output.bucket_id == "arn:aws:s3:::payments-receipts"
    error_message = "bucket is ${output.bucket_name}, ${output.bucket_id}"
  }
  assert {
    condition     = startswith(output.url, "https://payments-receipts.s3.")
    error_message = "url is ${output.url}"
  }
  assert {
    condition     = one(one(aws_s3_bucket_server_side_encryption_configuration.this.rule).apply_server_side_encryption_by_default).sse_algorithm == "AES256"
    error_message = "the bucket is not encrypted"
  }
  assert {
    condition     = aws_s3_bucket_public_access_block.this.restrict_public_buckets && aws_s3_bucket_public_access_block.this.block_public_acls
    error_message = "the bucket is open to the public"
  }
  assert {
    condition     = jsondecode(aws_s3_bucket_policy.tls_only.policy).Statement[0].Effect == "Deny"
    error_message = "plain HTTP is not refused"
  }
}

run "stops_keeping_versions_when_asked" {
  variables {
    versioning = false
  }

  assert {
    condition     = one(aws_s3_bucket_versioning.this.versioning_configuration).status == "Suspended"
    error_message = "versioning is ${one(aws_s3_bucket_versioning.this.versioning_configuration).status}"
  }
}

run "encrypts_with_a_key_of_ones_own" {
  command = plan

  variables {
    encryption_key_id = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"
  }

  assert {
    condition     = one(one(aws_s3_bucket_server_side_encryption_configuration.this.rule).apply_server_side_encryption_by_default).sse_algorithm == "aws:kms"
    error_message = "the key is not used"
  }
}

run "refuses_a_name_that_no_bucket_can_have" {
  command = plan

  variables {
    name = "Payments_Receipts"
  }

  expect_failures = [var.name]
}
