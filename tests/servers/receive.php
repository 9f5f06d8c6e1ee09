<?php
// A plain multipart receiver: the file part `file` becomes HAUL_ROOT/received; tells what it was given.
header('Content-Type: application/json');
$file = $_FILES['file'] ?? null;
if (!$file || $file['error'] !== UPLOAD_ERR_OK) {
    http_response_code(400);
    die(json_encode(['error' => $file['error'] ?? 'no file']));
}
move_uploaded_file($file['tmp_name'], getenv('HAUL_ROOT') . '/received');
echo json_encode(['name' => $file['name'], 'size' => $file['size'], 'type' => $file['type'], 'fields' => (object) $_POST]);
