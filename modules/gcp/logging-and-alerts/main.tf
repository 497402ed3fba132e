# A log bucket that keeps the logs of the project, and alerts by e-mail where
# lines of them match a pattern too often.
# ISO 27001: A.5.24, A.8.15, A.8.16

data "google_client_config" "current" {}

locals {
  emails = sort(distinct(var.alert_emails))

  # Labels hold lowercase letters, digits, _ and - only, 63 at most.
  labels = {
    for name, text in var.tags : substr(replace(lower(name), "/[^a-z0-9_-]/", "-"), 0, 63) => substr(replace(lower(text), "/[^a-z0-9_-]/", "-"), 0, 63)
  }
}

resource "google_logging_project_bucket_config" "this" {
  project        = data.google_client_config.current.project
  location       = data.google_client_config.current.region
  bucket_id      = var.name
  retention_days = var.retention_days
  description    = "Logs of ${var.name}"

  dynamic "cmek_settings" {
    for_each = var.encryption_key_id[*]

    content {
      kms_key_name = cmek_settings.value
    }
  }
}

# Everything that the project logs, for the audit as for the alerts.
resource "google_logging_project_sink" "this" {
  name                   = var.name
  destination            = "logging.googleapis.com/${google_logging_project_bucket_config.this.id}"
  unique_writer_identity = true
}

resource "google_monitoring_notification_channel" "email" {
  count = length(local.emails)

  display_name = "${var.name} ${local.emails[count.index]}"
  type         = "email"
  labels       = { email_address = local.emails[count.index] }
  user_labels  = local.labels
}

# Counted in the bucket, so that all counts are of one kind of resource, which
# the condition of an alert must name.
resource "google_logging_metric" "pattern" {
  for_each = var.log_patterns

  name        = "${var.name}-${each.key}"
  bucket_name = google_logging_project_bucket_config.this.name
  filter      = each.value.pattern

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
  }
}

resource "google_monitoring_alert_policy" "pattern" {
  for_each = var.log_patterns

  display_name          = "${var.name}-${each.key}"
  combiner              = "OR"
  notification_channels = google_monitoring_notification_channel.email[*].id
  user_labels           = local.labels

  conditions {
    display_name = each.key

    # Google compares with more than, not with at least.
    condition_threshold {
      filter          = "resource.type = \"logging_bucket\" AND metric.type = \"logging.googleapis.com/user/${google_logging_metric.pattern[each.key].name}\""
      comparison      = "COMPARISON_GT"
      threshold_value = each.value.threshold - 1
      duration        = "0s"

      aggregations {
        alignment_period     = "${each.value.period_minutes * 60}s"
        per_series_aligner   = "ALIGN_SUM"
        cross_series_reducer = "REDUCE_SUM"
      }
    }
  }
}
