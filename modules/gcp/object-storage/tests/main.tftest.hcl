mock_provider "google" {
  mock_data "google_client_config" {
    defaults = { project = "my-project", region = "europe-west1" }
  }
}

variables {
  name = "payments-receipts"
}

run "closes_the_bucket" {
  assert {
    condition     = output.bucket_name == "payments-receipts" && output.url == "https://storage.googleapis.com/payments-receipts"
    error_message = "bucket is ${output.bucket_name} at ${output.url}"
  }
  assert {
    condition     = google_storage_bucket.this.public_access_prevention == "enforced"
    error_message = "the bucket is open to the public"
  }
  assert {
    condition     = google_storage_bucket.this.location == "europe-west1"
    error_message = "bucket is in ${google_storage_bucket.this.location}"
  }
}

run "makes_labels_of_tags" {
  command = plan

  variables {
    tags = { "Cost Center" = "R&D" }
  }

  assert {
    condition     = google_storage_bucket.this.labels["cost-center"] == "r-d"
    error_message = "labels are ${jsonencode(google_storage_bucket.this.labels)}"
  }
}

run "encrypts_with_a_key_of_ones_own" {
  command = plan

  variables {
    encryption_key_id = "projects/my-project/locations/europe-west1/keyRings/main/cryptoKeys/main"
  }

  assert {
    condition     = one(google_storage_bucket.this.encryption).default_kms_key_name == "projects/my-project/locations/europe-west1/keyRings/main/cryptoKeys/main"
    error_message = "the key is not used"
  }
}
