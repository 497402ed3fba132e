output "bucket_parameter" {
  description = "Name of the parameter that holds the name of the bucket."
  value       = aws_ssm_parameter.bucket.name
}

output "log_group" {
  description = "Name of the log of requests."
  value       = aws_cloudwatch_log_group.access.name
}
