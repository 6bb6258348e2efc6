<?php
/**
 * Plugin Name: Leave a Reply
 * Description: Asks your own comment moderation service about each comment, shows why, and tells it what you decide.
 * Version: 1.0
 * Requires at least: 5.5
 * Requires PHP: 7.2
 * License: MIT
 *
 * Address, site and token stand under Settings → Leave a Reply, or in wp-config.php as LEAVE_A_REPLY_URL, LEAVE_A_REPLY_SITE and
 * LEAVE_A_REPLY_TOKEN. The token needs the scopes score and teach.
 */

namespace LeaveAReply;

use WP_Comment;

if (!defined('ABSPATH')) exit;

const TIMEOUT = 2;
/** Comments of these types are judged; others are notes of plugins. */
const TYPES = ['', 'comment', 'pingback', 'trackback', 'review'];
const DECISIONS = ['approved' => 'approve', 'unapproved' => 'hold', 'spam' => 'spam', 'trash' => 'delete'];
/** Comment meta: the id over there; why; what WordPress alone would have done; and what is still to be sent. */
const ID = 'leave_a_reply_id', WHY = 'leave_a_reply_why', WANTED = 'leave_a_reply_wanted';
const UNASKED = 'leave_a_reply_unasked', UNSENT = 'leave_a_reply_unsent', UNEDITED = 'leave_a_reply_unedited';
const UNERASED = 'leave_a_reply_unerased', RETRY = 'leave_a_reply_retry';
const LABELS = [
    'spam' => 'spam', 'toxicity' => 'rudeness', 'severe_toxicity' => 'abuse', 'obscene' => 'obscenity', 'threat' => 'a threat',
    'insult' => 'an insult', 'identity_attack' => 'an attack on a group',
];
const UNAVAILABLE = 'The moderation service did not answer in time, so it waits; it is asked again.';

require_once __DIR__ . '/settings.php';
require_once __DIR__ . '/list.php';
require_once __DIR__ . '/embed.php';

/** Between the judgement of a new comment and its row: [id, answer or null, what WordPress wanted]. */
$GLOBALS['leave_a_reply_judged'] = null;
/** Whether a change of status is this plugin's own, and so no decision. */
$GLOBALS['leave_a_reply_acting'] = false;

add_filter('pre_comment_approved', __NAMESPACE__ . '\judge_new', 99, 2);
add_action('wp_insert_comment', __NAMESPACE__ . '\keep', 10, 2);
add_action('comment_post', __NAMESPACE__ . '\forget_judged', 99);
add_action('transition_comment_status', __NAMESPACE__ . '\decide', 10, 3);
add_action('edit_comment', __NAMESPACE__ . '\edited');
add_action('delete_comment', __NAMESPACE__ . '\erase');
add_filter('wp_anonymize_comment', __NAMESPACE__ . '\anonymise', 99, 2);
add_action(RETRY, __NAMESPACE__ . '\retry');
add_filter('cron_schedules', function ($all) {
    return $all + ['leave_a_reply' => ['interval' => 300, 'display' => 'Every five minutes']];
});
add_action('init', function () {
    if (!wp_next_scheduled(RETRY)) wp_schedule_event(time() + 300, 'leave_a_reply', RETRY);
});
register_deactivation_hook(__FILE__, function () { wp_clear_scheduled_hook(RETRY); });

/** [status, document]; the status is 0 where nothing answered in time. */
function call($method, $path, $body = null) {
    if (!setting('url') || !setting('token')) return [0, null];
    $answer = wp_remote_request(setting('url') . '/api/v1/sites/' . rawurlencode(setting('site')) . '/checks' . $path, [
        'method' => $method, 'timeout' => TIMEOUT, 'redirection' => 0,
        'headers' => ['Authorization' => 'Bearer ' . setting('token'), 'Content-Type' => 'application/json'],
        'body' => $body === null ? null : wp_json_encode($body),
    ]);
    if (is_wp_error($answer)) return [0, null];
    return [(int) wp_remote_retrieve_response_code($answer), json_decode(wp_remote_retrieve_body($answer), true)];
}

/** The judgement of a comment, or null where the service gave none, or has none yet. $c has the names of the table's columns, unslashed. */
function judgement(array $c, $id) {
    $parent = empty($c['comment_parent']) ? '' : get_comment_meta((int) $c['comment_parent'], ID, true);
    [$status, $answer] = call('POST', '', [
        'id' => $id, 'text' => (string) $c['comment_content'], 'format' => 'html', 'kind' => kind($c),
        'name' => (string) ($c['comment_author'] ?? ''), 'email' => (string) ($c['comment_author_email'] ?? ''),
        'url' => (string) ($c['comment_author_url'] ?? ''), 'ip' => (string) ($c['comment_author_IP'] ?? ''),
        'article' => (string) get_permalink((int) $c['comment_post_ID']), 'parent' => (string) $parent,
    ]);
    $is_unread = array_column($answer['reasons'] ?? [], 'rule') === ['unread'];  // it is judged within seconds, and asked about again
    return $status === 200 && isset($answer['action']) && !($is_unread && $answer['action'] === 'hold') ? $answer : null;
}

/** Replies from the fediverse come in by plugins that say so in the comment's meta or agent. */
function kind(array $c) {
    $type = $c['comment_type'] ?? '';
    if ($type === 'pingback' || $type === 'trackback') return 'pingback';
    if ($type === 'review') return 'review';
    $meta = $c['comment_meta']['protocol'] ?? (isset($c['comment_ID']) ? get_comment_meta($c['comment_ID'], 'protocol', true) : '');
    return $meta === 'activitypub' || stripos($c['comment_agent'] ?? '', 'activitypub') !== false ? 'fediverse' : 'comment';
}

function is_judged($type, $user) {
    return in_array((string) $type, TYPES, true) && !($user && user_can((int) $user, 'moderate_comments')) && !defined('WP_IMPORTING');
}

/** WordPress asks whether a new comment is approved: 1, 0, 'spam', 'trash' or a WP_Error. Never more lenient than it wanted. */
function judge_new($approved, $commentdata) {
    $c = wp_unslash($commentdata);
    if (is_wp_error($approved) || $approved === 'trash') return $approved;
    if (!is_judged($c['comment_type'] ?? '', $c['user_id'] ?? 0)) return $approved;
    $id = wp_generate_uuid4();
    $answer = judgement($c, $id);
    $GLOBALS['leave_a_reply_judged'] = [$id, $answer, (string) $approved];
    return status_after($approved, $answer);
}

function status_after($wanted, $answer) {
    if ((string) $wanted === 'spam' || ($answer && $answer['action'] === 'spam')) return 'spam';
    return $answer && $answer['action'] === 'publish' ? $wanted : 0;
}

/** A row was written: by WordPress after judge_new, or by a plugin without asking, and then it is judged now. */
function keep($comment_id, $comment) {
    $judged = $GLOBALS['leave_a_reply_judged'];
    $GLOBALS['leave_a_reply_judged'] = null;
    if ($judged) {
        note($comment, $judged[0], $judged[1], $judged[2]);
    } elseif (is_judged($comment->comment_type, $comment->user_id) && in_array($comment->comment_approved, ['0', '1'], true)) {
        judge_again($comment, wp_generate_uuid4());
    }
}

function forget_judged() { $GLOBALS['leave_a_reply_judged'] = null; }

/** Judges a stored comment, and moves it where the answer says. */
function judge_again(WP_Comment $comment, $id) {
    $wanted = get_comment_meta($comment->comment_ID, WANTED, true);
    $wanted = $wanted === '' ? $comment->comment_approved : $wanted;
    $answer = judgement(get_comment($comment->comment_ID, ARRAY_A), $id);
    note($comment, $id, $answer, $wanted);
    move($comment, (string) status_after($wanted, $answer));
}

function move(WP_Comment $comment, $status) {
    if ($comment->comment_approved === $status) return;
    $GLOBALS['leave_a_reply_acting'] = true;
    wp_set_comment_status($comment->comment_ID, ['0' => 'hold', '1' => 'approve', 'spam' => 'spam'][$status]);
    $GLOBALS['leave_a_reply_acting'] = false;
}

/** What is known of a comment: its id over there and why, or that it must be asked about again. */
function note(WP_Comment $comment, $id, $answer, $wanted) {
    update_comment_meta($comment->comment_ID, ID, $id);
    update_comment_meta($comment->comment_ID, WHY, wp_slash($answer ? why($answer, $comment->comment_content) : UNAVAILABLE));
    update_comment_meta($comment->comment_ID, WANTED, $wanted);
    if ($answer) delete_comment_meta($comment->comment_ID, UNASKED);
    else update_comment_meta($comment->comment_ID, UNASKED, 1);
}

/** The reasons in one sentence, with the words that weigh most: of the labels that fired, the highest alone. */
function why(array $answer, $text) {
    $notes = $words = [];
    $fired = array_column(array_filter($answer['reasons'] ?? [], function ($one) {
        return isset($one['label']) && in_array($one['rule'] ?? '', ['label', 'certain-spam'], true);
    }), 'weight', 'label');
    if ($fired) {
        arsort($fired);
        $notes[] = sprintf('looks like %s (%d %%)', LABELS[key($fired)] ?? key($fired), floor(100 * current($fired)));
    }
    foreach ($answer['reasons'] ?? [] as $reason) {
        if (!empty($reason['note']) && !isset($reason['label'])) $notes[] = $reason['note'];
        foreach (empty($reason['feature']) || $reason['weight'] <= 0 ? [] : array_slice($reason['spans'], 0, 1) as $span) {
            $words[] = trim(wp_strip_all_tags(mb_substr($text, $span[0], $span[1] - $span[0])));
        }
    }
    $words = array_slice(array_unique(array_filter($words)), 0, 3);
    $said = $notes ? ucfirst(implode('; ', array_slice($notes, 0, 3))) : ($answer['action'] === 'publish' ? 'Nothing against it' : '');
    return $said . ($words ? ': “' . implode('”, “', $words) . '”' : '') . '.';
}

/** A person moved a comment: a decision, which teaches. */
function decide($new, $old, $comment) {
    if ($new === $old || $GLOBALS['leave_a_reply_acting'] || !isset(DECISIONS[$new])) return;
    if (!current_user_can('moderate_comments') || !in_array($comment->comment_type, TYPES, true)) return;
    delete_comment_meta($comment->comment_ID, UNASKED);
    update_comment_meta($comment->comment_ID, UNSENT, DECISIONS[$new]);
    send_decision($comment);
}

function send_decision(WP_Comment $comment) {
    $action = get_comment_meta($comment->comment_ID, UNSENT, true);
    $path = '/' . rawurlencode(known($comment)) . '/decisions';
    [$status] = call('POST', $path, ['action' => $action]);
    if ($status === 404 && judgement(get_comment($comment->comment_ID, ARRAY_A), known($comment))) {
        [$status] = call('POST', $path, ['action' => $action]);  // it was written before this plugin
    }
    if ($status === 200) delete_comment_meta($comment->comment_ID, UNSENT);
}

/** The comment's id over there, made where it has none. */
function known(WP_Comment $comment) {
    $id = get_comment_meta($comment->comment_ID, ID, true);
    if ($id) return $id;
    $id = wp_generate_uuid4();
    update_comment_meta($comment->comment_ID, ID, $id);
    return $id;
}

/** The text, the name or the website has changed. */
function edited($comment_id) {
    $comment = get_comment($comment_id);
    $id = get_comment_meta($comment_id, ID, true);
    if (!$comment || !$id) return;
    update_comment_meta($comment_id, UNEDITED, 1);
    send_edit($comment);
}

function send_edit(WP_Comment $comment) {
    [$status] = call('PATCH', '/' . rawurlencode(known($comment)), [
        'text' => $comment->comment_content, 'format' => 'html', 'name' => $comment->comment_author, 'url' => $comment->comment_author_url,
    ]);
    if ($status === 200 || $status === 404) delete_comment_meta($comment->comment_ID, UNEDITED);
}

/** A comment goes for good: its text goes there too. */
function erase($comment_id) {
    $id = get_comment_meta($comment_id, ID, true);
    if ($id) send_erasures([$id]);
}

/** WordPress's eraser makes the author anonymous here; there the comment goes. */
function anonymise($is_due, $comment) {
    if ($is_due === true) {
        erase($comment->comment_ID);
        foreach ([ID, WHY, WANTED, UNASKED, UNSENT, UNEDITED] as $key) delete_comment_meta($comment->comment_ID, $key);
    }
    return $is_due;
}

function send_erasures(array $ids) {
    $left = array_filter(array_unique(array_merge((array) get_option(UNERASED, []), $ids)), function ($id) {
        return !in_array(call('DELETE', '/' . rawurlencode($id))[0], [204, 404], true);
    });
    update_option(UNERASED, array_values($left), false);
}

/** What could not be asked or sent, some of each, oldest first; it ends with the first that fails again. */
function retry() {
    $jobs = [
        UNASKED => function ($comment) { judge_again($comment, known($comment)); },
        UNSENT => __NAMESPACE__ . '\send_decision',
        UNEDITED => __NAMESPACE__ . '\send_edit',
    ];
    foreach ($jobs as $key => $job) {
        foreach (get_comments(['meta_key' => $key, 'status' => 'any', 'number' => 20, 'order' => 'ASC', 'type' => '']) as $comment) {
            $job($comment);
            if (get_comment_meta($comment->comment_ID, $key, true) !== '') return;
        }
    }
    if (get_option(UNERASED)) send_erasures([]);
}
