<?php
/** The service's own thread and form in place of the theme's, in classic and in block themes; with numbers and feed. */

namespace LeaveAReply;

if (!defined('ABSPATH')) exit;

function is_embedded() { return setting('embed') === '1' && setting('url') !== ''; }

function element() {
    wp_enqueue_script('leave-a-reply');
    return '<div id="comments" class="comments-area default-max-width"><leave-a-reply site="' . esc_attr(setting('site')) . '"></leave-a-reply></div>';
}

add_action('wp_enqueue_scripts', function () {
    if (!is_embedded()) return;
    wp_register_script('leave-a-reply', setting('url') . '/embed.js', [], null, true);
    if (!is_singular()) wp_enqueue_script('leave-a-reply');  // numbers in lists of posts
});
add_filter('script_loader_tag', function ($tag, $handle) {
    return $handle === 'leave-a-reply' ? str_replace(' src=', ' defer src=', $tag) : $tag;
}, 10, 2);
add_filter('comments_template', function ($template) { return is_embedded() ? __DIR__ . '/thread.php' : $template; }, 99);
add_filter('render_block', function ($html, $block) {
    if (!is_embedded() || !is_singular()) return $html;
    return in_array($block['blockName'], ['core/comments', 'core/post-comments', 'core/comments-query-loop'], true) ? element() : $html;
}, 10, 2);
add_filter('comments_popup_link_attributes', function ($attributes) {
    return is_embedded() ? $attributes . ' data-replies data-site="' . esc_attr(setting('site')) . '"' : $attributes;
});
add_filter('feed_links_show_comments_feed', function ($shown) { return $shown && !is_embedded(); });
add_action('wp_head', function () {
    if (!is_embedded()) return;
    $feed = setting('url') . '/sites/' . rawurlencode(setting('site')) . '/feed';
    echo '<link rel="alternate" type="application/atom+xml" title="Comments" href="' . esc_url($feed) . "\">\n";
});
/** What is sent to WordPress's own form would be seen by nobody. */
add_action('pre_comment_on_post', function () {
    if (is_embedded()) wp_die('Comments are taken below the article.', 'Leave a Reply', ['response' => 403, 'back_link' => true]);
});
