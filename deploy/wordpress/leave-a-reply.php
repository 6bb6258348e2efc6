<?php
/**
 * Plugin Name: leave-a-reply for Akismet
 * Description: Sends the Akismet plugin's requests to your own leave-a-reply.
 *
 * Copy this file to wp-content/mu-plugins/ and set the address. See docs/akismet.md.
 */
const MODERATION_URL = 'http://127.0.0.1:8000';

add_filter('pre_http_request', function ($answer, $args, $url) {
    $at = wp_parse_url($url);
    if (!preg_match('/(^|\.)rest\.akismet\.com$/', $at['host'] ?? '')) {
        return $answer;
    }
    unset($args['headers']['Host']);
    $query = isset($at['query']) ? '?' . $at['query'] : '';
    return wp_remote_request(MODERATION_URL . $at['path'] . $query, $args);
}, 10, 3);
