# A function that runs when it is called, as an identity of its own without a
# right to anything, and its log.
# ISO 27001: A.5.15, A.8.3, A.8.15, A.8.24

data "google_client_config" "current" {}

locals {
  project  = data.google_client_config.current.project
  region   = data.google_client_config.current.region
  runtimes = { "python3.12" = "python312", "nodejs22" = "nodejs22" }
  unique   = substr(sha256("${local.project}/${local.region}/${var.name}"), 0, 8)
  called   = reverse(split(".", var.handler))[0]
  file     = "${split(".", var.handler)[0]}.${var.runtime == "python3.12" ? "py" : "js"}"

  # Labels hold lowercase letters, digits, _ and - only, 63 at most.
  labels = {
    for name, text in var.tags : substr(replace(lower(name), "/[^a-z0-9_-]/", "-"), 0, 63) => substr(replace(lower(text), "/[^a-z0-9_-]/", "-"), 0, 63)
  }
}

resource "google_service_account" "this" {
  account_id   = "${trimsuffix(substr(var.name, 0, 20), "-")}-${local.unique}"
  display_name = "Function ${var.name}"
}

resource "google_storage_bucket" "code" {
  name                        = "${var.name}-${local.unique}-code"
  location                    = local.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = true
  labels                      = local.labels
}

# Named by what is in it, so that other code makes another version.
resource "google_storage_bucket_object" "code" {
  name   = "${filesha256(var.source_zip)}.zip"
  bucket = google_storage_bucket.code.name
  source = var.source_zip
}

resource "google_cloudfunctions2_function" "this" {
  name     = var.name
  location = local.region
  labels   = local.labels

  build_config {
    runtime               = local.runtimes[var.runtime]
    entry_point           = local.called
    environment_variables = { GOOGLE_FUNCTION_SOURCE = local.file }

    source {
      storage_source {
        bucket = google_storage_bucket.code.name
        object = google_storage_bucket_object.code.name
      }
    }
  }

  service_config {
    available_memory      = "${var.memory_mb}Mi"
    timeout_seconds       = var.timeout_seconds
    environment_variables = var.environment
    service_account_email = google_service_account.this.email
    ingress_settings      = var.public ? "ALLOW_ALL" : "ALLOW_INTERNAL_ONLY"
  }
}

resource "google_cloud_run_v2_service_iam_member" "public" {
  count = var.public ? 1 : 0

  name     = google_cloudfunctions2_function.this.name
  location = local.region
  role     = "roles/run.invoker"
  member   = "allUsers"
}

# How long the project keeps logs is not for one function to say, so its own
# log goes into a bucket of its own as well.
resource "google_logging_project_bucket_config" "this" {
  project        = local.project
  location       = local.region
  bucket_id      = "${var.name}-function"
  retention_days = var.log_days
}

resource "google_logging_project_sink" "this" {
  name                   = "${var.name}-function"
  destination            = "logging.googleapis.com/${google_logging_project_bucket_config.this.id}"
  filter                 = "resource.type = \"cloud_run_revision\" AND resource.labels.service_name = \"${var.name}\""
  unique_writer_identity = true
}
