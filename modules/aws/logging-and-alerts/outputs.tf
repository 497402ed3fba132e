output "log_group_id" {
  description = "Identifier of the log group in the cloud (ARN)."
  value       = aws_cloudwatch_log_group.this.arn
}

output "log_group_name" {
  description = "Name of the log group; known when planning."
  value       = aws_cloudwatch_log_group.this.name
}

output "topic_id" {
  description = "Identifier of the topic that alerts go to (ARN)."
  value       = aws_sns_topic.alerts.arn
}
