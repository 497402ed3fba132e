# A bucket for objects: encrypted, closed to the public and reachable over TLS
# only, as all of Cloud Storage is.
# ISO 27001: A.5.15, A.8.3, A.8.13, A.8.24

data "google_client_config" "current" {}

locals {
  # Labels hold lowercase letters, digits, _ and - only, 63 at most.
  labels = {
    for name, text in var.tags : substr(replace(lower(name), "/[^a-z0-9_-]/", "-"), 0, 63) => substr(replace(lower(text), "/[^a-z0-9_-]/", "-"), 0, 63)
  }
}

resource "google_storage_bucket" "this" {
  name                        = var.name
  location                    = data.google_client_config.current.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = var.force_destroy
  labels                      = local.labels

  versioning {
    enabled = var.versioning
  }

  dynamic "encryption" {
    for_each = var.encryption_key_id[*]

    content {
      default_kms_key_name = encryption.value
    }
  }
}
