locals {
  sizes = { small = "t3.medium", medium = "t3.large", large = "m6i.xlarge", xlarge = "m6i.2xlarge" }
  size  = lookup(local.sizes, var.node_size, var.node_size)

  # The g after the number stands for ARM processors, as in m7g.
  architecture = can(regex("^[a-z]+[0-9]+g[a-z]*\\.", local.size)) ? "ARM_64" : "x86_64"

  count_max = coalesce(var.node_count_max, var.node_count)
  elastic   = local.count_max > var.node_count

  # What an autoscaler has asked for stays, within the bounds.
  running = try(data.aws_autoscaling_group.nodes[0].desired_capacity, var.node_count)
  desired = min(max(local.running, var.node_count), local.count_max)
}

data "aws_autoscaling_groups" "nodes" {
  count = local.elastic ? 1 : 0

  filter {
    name   = "tag:eks:cluster-name"
    values = [var.name]
  }
}

data "aws_autoscaling_group" "nodes" {
  count = local.elastic ? min(length(data.aws_autoscaling_groups.nodes[0].names), 1) : 0

  name = data.aws_autoscaling_groups.nodes[0].names[count.index]
}

resource "aws_eks_node_group" "this" {
  cluster_name    = aws_eks_cluster.this.name
  version         = aws_eks_cluster.this.version
  node_group_name = "nodes"
  node_role_arn   = aws_iam_role.node.arn
  subnet_ids      = data.aws_subnet.this[*].id
  ami_type        = "AL2023_${local.architecture}_STANDARD"
  instance_types  = [local.size]
  tags            = local.tags

  scaling_config {
    min_size     = var.node_count
    desired_size = local.desired
    max_size     = local.count_max
  }

  update_config {
    max_unavailable = 1
  }

  launch_template {
    id      = aws_launch_template.node.id
    version = aws_launch_template.node.latest_version
  }

  lifecycle {
    precondition {
      condition     = local.count_max >= var.node_count
      error_message = "node_count_max is ${local.count_max} and must not be below node_count, which is ${var.node_count}."
    }
  }

  depends_on = [aws_iam_role_policy_attachment.node]
}

# What runs in pods cannot ask for the machine's credentials: an answer to them
# would have to go one hop further.
resource "aws_launch_template" "node" {
  name        = "${var.name}-node"
  description = "Machines of the cluster ${var.name}"
  tags        = local.tags

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  block_device_mappings {
    device_name = "/dev/xvda"

    ebs {
      encrypted             = true
      volume_type           = "gp3"
      volume_size           = 50
      delete_on_termination = true
    }
  }

  dynamic "tag_specifications" {
    for_each = toset(["instance", "volume"])

    content {
      resource_type = tag_specifications.value
      tags          = merge(var.tags, { Name = "${var.name}-node" })
    }
  }
}
