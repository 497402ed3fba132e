# A place for logs that keeps them for as long as they must be kept, and alerts
# by e-mail when lines that match a pattern turn up in them. Logs and alerts
# are encrypted with one key.
#
# ISO 27001: A.5.25, A.5.28, A.8.15, A.8.16, A.8.24

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  account = data.aws_caller_identity.current.account_id
  key_id  = var.encryption_key_id == null ? aws_kms_key.this[0].arn : var.encryption_key_id
}

resource "aws_cloudwatch_log_group" "this" {
  name              = var.name
  retention_in_days = var.retention_days
  kms_key_id        = local.key_id
  tags              = var.tags
}

resource "aws_cloudwatch_log_metric_filter" "this" {
  for_each = var.log_patterns

  name           = "${var.name}-${each.key}"
  log_group_name = aws_cloudwatch_log_group.this.name
  pattern        = each.value.pattern

  metric_transformation {
    namespace = "cloudops/${var.name}"
    name      = each.key
    value     = "1"
  }
}

# No line at all is no reason for an alert.
resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = var.log_patterns

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = "At least ${each.value.threshold} lines like ${each.value.pattern} in ${each.value.period_minutes} minutes in ${var.name}"
  namespace           = one(aws_cloudwatch_log_metric_filter.this[each.key].metric_transformation).namespace
  metric_name         = each.key
  statistic           = "Sum"
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = each.value.threshold
  period              = each.value.period_minutes * 60
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alerts.arn]
  ok_actions          = [aws_sns_topic.alerts.arn]
  tags                = var.tags
}

resource "aws_sns_topic" "alerts" {
  name              = "${var.name}-alerts"
  kms_master_key_id = local.key_id
  tags              = var.tags
}

resource "aws_sns_topic_policy" "alerts" {
  arn = aws_sns_topic.alerts.arn

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "LetAlarmsOfThisAccountPublish"
      Effect    = "Allow"
      Principal = { Service = "cloudwatch.amazonaws.com" }
      Action    = "sns:Publish"
      Resource  = aws_sns_topic.alerts.arn
      Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
    }]
  })
}

# Whoever reads the address gets a mail with a link that confirms it.
resource "aws_sns_topic_subscription" "email" {
  for_each = toset(var.alert_emails)

  topic_arn = aws_sns_topic.alerts.arn
  protocol  = "email"
  endpoint  = each.key
}
