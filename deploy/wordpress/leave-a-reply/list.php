<?php
/** The list of comments: a column that says why, and an action that asks again. */

namespace LeaveAReply;

if (!defined('ABSPATH')) exit;

add_filter('manage_edit-comments_columns', function ($columns) { return $columns + ['leave_a_reply' => 'Why']; });
add_action('manage_comments_custom_column', function ($column, $comment_id) {
    if ($column === 'leave_a_reply') echo esc_html(get_comment_meta($comment_id, WHY, true));
}, 10, 2);
add_filter('comment_row_actions', function ($actions, $comment) {
    if (!in_array($comment->comment_type, TYPES, true) || !current_user_can('edit_comment', $comment->comment_ID)) return $actions;
    $place = admin_url('admin-post.php?action=leave_a_reply_check&c=' . (int) $comment->comment_ID);
    $link = wp_nonce_url($place, 'leave_a_reply_check_' . $comment->comment_ID);
    return $actions + ['leave_a_reply' => '<a href="' . esc_url($link) . '">Check again</a>'];
}, 10, 2);
add_action('admin_post_leave_a_reply_check', function () {
    $id = (int) ($_GET['c'] ?? 0);
    check_admin_referer("leave_a_reply_check_$id");
    if (!current_user_can('edit_comment', $id)) wp_die('You may not do this.', 403);
    $comment = get_comment($id);
    if ($comment) {
        $answer = judgement(get_comment($id, ARRAY_A), known($comment));
        // a look, not a move: who asks is a person, and decides
        update_comment_meta($id, WHY, wp_slash($answer ? why($answer, $comment->comment_content) : UNAVAILABLE));
    }
    wp_safe_redirect(wp_get_referer() ?: admin_url('edit-comments.php'));
    exit;
});
