mock_provider "google" {
  mock_data "google_client_config" {
    defaults = { project = "my-project", region = "europe-west1" }
  }
  mock_data "google_compute_zones" {
    defaults = { names = ["europe-west1-b", "europe-west1-c", "europe-west1-d"] }
  }
}

variables {
  name       = "shop"
  network_id = "projects/my-project/global/networks/web"
  subnet_ids = ["projects/my-project/regions/europe-west1/subnetworks/web-private-1"]
}

run "keeps_the_api_in_the_network" {
  assert {
    condition     = google_container_cluster.this.private_cluster_config[0].enable_private_endpoint
    error_message = "the API is public"
  }
  assert {
    condition     = google_container_node_pool.this.autoscaling[0].total_min_node_count == 2 && length(google_container_node_pool.this.node_locations) == 2
    error_message = "nodes are not two"
  }
  assert {
    condition     = output.cluster_name == "shop"
    error_message = "cluster is ${output.cluster_name}"
  }
}

run "grows_and_opens_to_those_named" {
  command = plan

  variables {
    node_count_max        = 5
    public_endpoint_cidrs = ["192.0.2.0/24"]
  }

  assert {
    condition     = google_container_node_pool.this.autoscaling[0].total_max_node_count == 5
    error_message = "the cluster cannot grow"
  }
  assert {
    condition     = one(one(google_container_cluster.this.master_authorized_networks_config).cidr_blocks).cidr_block == "192.0.2.0/24"
    error_message = "the API is open to others"
  }
}

run "refuses_fewer_nodes_at_most_than_at_least" {
  command = plan

  variables {
    node_count_max = 1
  }

  expect_failures = [google_container_cluster.this]
}
