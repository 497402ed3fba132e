# A Kubernetes cluster whose endpoint is reached from its own network only,
# unless address blocks outside are named. Its secrets are encrypted with a key
# and what its control plane does is logged.
#
# ISO 27001: A.5.15, A.8.2, A.8.15, A.8.20, A.8.22, A.8.24

locals {
  key_id = var.encryption_key_id == null ? aws_kms_key.this[0].arn : var.encryption_key_id
  tags   = merge(var.tags, { Name = var.name })
}

resource "aws_eks_cluster" "this" {
  name                      = var.name
  version                   = var.kubernetes_version
  role_arn                  = aws_iam_role.cluster.arn
  enabled_cluster_log_types = ["api", "audit", "authenticator", "controllerManager", "scheduler"]
  tags                      = local.tags

  vpc_config {
    subnet_ids              = data.aws_subnet.this[*].id
    security_group_ids      = [aws_security_group.endpoint.id]
    endpoint_private_access = true
    endpoint_public_access  = length(var.public_endpoint_cidrs) > 0
    public_access_cidrs     = length(var.public_endpoint_cidrs) > 0 ? var.public_endpoint_cidrs : null
  }

  # Who may do what in the cluster is said by the cloud, not by a list in it.
  access_config {
    authentication_mode                         = "API"
    bootstrap_cluster_creator_admin_permissions = true
  }

  encryption_config {
    resources = ["secrets"]

    provider {
      key_arn = local.key_id
    }
  }

  # A role that has lost its policy could not take down what the cluster made.
  depends_on = [
    aws_cloudwatch_log_group.this,
    aws_iam_role_policy.cluster_key,
    aws_iam_role_policy_attachment.cluster,
  ]
}

# By way of this check, so that no cluster starts before it has passed.
data "aws_subnet" "this" {
  count = length(var.subnet_ids)

  id = var.subnet_ids[count.index]

  lifecycle {
    postcondition {
      condition     = self.vpc_id == var.network_id
      error_message = "Subnet ${self.id} is in the network ${self.vpc_id}, not in ${var.network_id}."
    }
    postcondition {
      condition     = !self.map_public_ip_on_launch
      error_message = "Subnet ${self.id} gives its machines public addresses. Name a private subnet."
    }
  }
}

data "aws_vpc" "this" {
  id = var.network_id
}

resource "aws_security_group" "endpoint" {
  name        = "${var.name}-endpoint"
  description = "What may reach the endpoint of the cluster ${var.name}"
  vpc_id      = var.network_id
  tags        = merge(var.tags, { Name = "${var.name}-endpoint" })
}

resource "aws_vpc_security_group_ingress_rule" "endpoint" {
  security_group_id = aws_security_group.endpoint.id
  description       = "Clients of the cluster in its network"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  cidr_ipv4         = data.aws_vpc.this.cidr_block
  tags              = merge(var.tags, { Name = "${var.name}-endpoint" })
}

# The cloud would make it by itself and keep it forever.
resource "aws_cloudwatch_log_group" "this" {
  name              = "/aws/eks/${var.name}/cluster"
  retention_in_days = 365
  tags              = local.tags
}

resource "aws_kms_key" "this" {
  count = var.encryption_key_id == null ? 1 : 0

  description         = "Secrets of the cluster ${var.name}"
  enable_key_rotation = true
  tags                = local.tags
}
