output "secret_id" {
  description = "Identifier of the secret in the cloud (ARN)."
  value       = aws_secretsmanager_secret.this.arn
}

output "secret_name" {
  description = "Name of the secret; known when planning."
  value       = aws_secretsmanager_secret.this.name
}

output "version" {
  description = "Version of the value, another one after each change."
  value       = aws_secretsmanager_secret_version.this.version_id
}
