output "cluster_name" {
  description = "Name of the cluster; known when planning."
  value       = aws_eks_cluster.this.name
}

output "cluster_id" {
  description = "Identifier of the cluster in the cloud (ARN)."
  value       = aws_eks_cluster.this.arn
}

output "endpoint" {
  description = "Address of the cluster's API."
  value       = aws_eks_cluster.this.endpoint
}

output "ca_certificate" {
  description = "Certificate that the endpoint is known by, in base64."
  value       = one(aws_eks_cluster.this.certificate_authority).data
}

output "version" {
  description = "Version of Kubernetes that the cluster runs."
  value       = aws_eks_cluster.this.version
}
