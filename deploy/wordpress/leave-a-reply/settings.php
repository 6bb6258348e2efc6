<?php
/** Where the service is: a page under Settings, or constants in wp-config.php. */

namespace LeaveAReply;

if (!defined('ABSPATH')) exit;

const OPTION = 'leave_a_reply';

/** `url`, `site`, `token`, or `embed`. */
function setting($name) {
    $constant = 'LEAVE_A_REPLY_' . strtoupper($name);
    if (defined($constant)) return (string) constant($constant);
    $all = get_option(OPTION, []);
    return (string) ($all[$name] ?? ($name === 'site' ? 'default' : ''));
}

function is_constant($name) { return defined('LEAVE_A_REPLY_' . strtoupper($name)); }

add_action('admin_menu', function () {
    add_options_page('Leave a Reply', 'Leave a Reply', 'manage_options', 'leave-a-reply', __NAMESPACE__ . '\settings_page');
});
add_action('admin_init', function () {
    register_setting('leave-a-reply', OPTION, ['sanitize_callback' => __NAMESPACE__ . '\sanitized']);
});

/** An empty token keeps the one that is stored: the page never shows it. */
function sanitized($given) {
    return [
        'url' => untrailingslashit(esc_url_raw(trim($given['url'] ?? ''), ['http', 'https'])),
        'site' => preg_replace('/[^a-z0-9-]/', '', $given['site'] ?? '') ?: 'default',
        'token' => sanitize_text_field($given['token'] ?? '') ?: setting('token'),
        'embed' => empty($given['embed']) ? '' : '1',
    ];
}

/** One sentence about the connection. */
function health() {
    if (!setting('url') || !setting('token')) return 'Give the address and a token with the scopes score and teach.';
    [$status, $answer] = call('POST', '', ['text' => 'Thank you!', 'store' => false]);
    if ($status === 200) return 'The service answers; model ' . ($answer['model'] ?? '?') . '.';
    if ($status === 0) return 'The service does not answer within ' . TIMEOUT . ' seconds: comments wait until it does.';
    return "The service answers with $status: " . ($answer['detail'] ?? 'no reason is given') . '';
}

function settings_page() { ?>
<div class="wrap"><h1>Leave a Reply</h1>
<p role="status"><?php echo esc_html(health()); ?></p>
<form method="post" action="options.php"><?php settings_fields('leave-a-reply'); ?>
<table class="form-table" role="presentation">
<?php foreach (['url' => ['Address', 'url', 'https://comments.example.org'], 'site' => ['Site', 'text', 'default'], 'token' => ['Token', 'password', '']] as $name => [$label, $type, $hint]) { ?>
<tr><th scope="row"><label for="leave-a-reply-<?php echo $name; ?>"><?php echo $label; ?></label></th>
<td><input class="regular-text" id="leave-a-reply-<?php echo $name; ?>" name="<?php echo OPTION . "[$name]"; ?>" type="<?php echo $type; ?>"
value="<?php echo $name === 'token' ? '' : esc_attr(setting($name)); ?>" placeholder="<?php echo esc_attr($name === 'token' && setting('token') ? 'stored' : $hint); ?>"
autocomplete="off"<?php disabled(is_constant($name)); ?>></td></tr>
<?php } ?>
<tr><th scope="row">Comments</th><td><label><input type="checkbox" name="<?php echo OPTION; ?>[embed]" value="1"<?php checked(setting('embed'), '1'); ?>>
The service shows and takes them, in place of the theme's list and form</label></td></tr>
</table><?php submit_button(); ?></form></div>
<?php }
