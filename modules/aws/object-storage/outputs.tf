output "bucket_name" {
  description = "Name of the bucket; known when planning."
  value       = aws_s3_bucket.this.bucket
}

output "bucket_id" {
  description = "Identifier of the bucket in the cloud (ARN)."
  value       = aws_s3_bucket.this.arn
}

output "url" {
  description = "Address of the bucket."
  value       = "https://${aws_s3_bucket.this.bucket_regional_domain_name}"
}
