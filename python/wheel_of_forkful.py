"""The build back end of pyproject.toml (PEP 517): builds the module with CMake, and writes the wheel.

    pip3 wheel . --no-deps
    pip3 wheel . --no-deps --config-settings build-dir=build/release      # where CMake has been already

In the tree, because those that are published are not in Debian 12, and fetching one needs a network.
"""
import base64
import hashlib
import os
import re
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import zipfile

root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def _version():
    with open(os.path.join(root, 'include/forkful/version.hpp'), encoding='utf-8') as header:
        return re.search(r'define FORKFUL_VERSION "([0-9.]+)"', header.read())[1]


def _metadata():
    return f'''Metadata-Version: 2.1
Name: forkful
Version: {_version()}
Summary: Process pools that survive crashes: a drop-in for multiprocessing.Pool
Requires-Python: >=3.9
Requires-Dist: cloudpickle
'''


def _build(folder):
    """Builds the extension in `folder`; returns the folder of the module."""
    configure = ['cmake', '-S', root, '-B', folder, f'-DPython_EXECUTABLE={sys.executable}', '-DFORKFUL_PYTHON=ON']
    if not os.path.exists(os.path.join(folder, 'CMakeCache.txt')):
        configure += ['-G', 'Ninja', '-DCMAKE_BUILD_TYPE=Release', '-DFORKFUL_TESTS=OFF', '-DFORKFUL_CLI=OFF',
                      '-DFORKFUL_INSTALL=OFF']
    subprocess.run(configure, check=True)
    subprocess.run(['cmake', '--build', folder, '--target', 'forkful_python'], check=True)
    return os.path.join(folder, 'python', 'forkful')


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    """Writes the wheel there, and returns its name."""
    tag = f'cp{sys.version_info[0]}{sys.version_info[1]}'
    platform = re.sub('[-.]', '_', sysconfig.get_platform())
    name, about = f'forkful-{_version()}', f'forkful-{_version()}.dist-info'
    wheel = f'{name}-{tag}-{tag}-{platform}.whl'
    record = []
    with tempfile.TemporaryDirectory() as scratch, \
            zipfile.ZipFile(os.path.join(wheel_directory, wheel), 'w', zipfile.ZIP_DEFLATED) as archive:
        def add(path, data):
            archive.writestr(path, data)
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b'=').decode()
            record.append(f'{path},sha256={digest},{len(data)}\n')

        module = _build(os.path.join(root, (config_settings or {}).get('build-dir') or scratch))
        for file in sorted(os.listdir(module)):
            if file.endswith(('.py', '.pyi', '.so', '.typed')):
                with open(os.path.join(module, file), 'rb') as opened:
                    add(f'forkful/{file}', opened.read())
        add(f'{about}/METADATA', _metadata().encode())
        add(f'{about}/WHEEL', ('Wheel-Version: 1.0\nGenerator: forkful\nRoot-Is-Purelib: false\n'
                               f'Tag: {tag}-{tag}-{platform}\n').encode())
        archive.writestr(f'{about}/RECORD', ''.join(record) + f'{about}/RECORD,,\n')
    return wheel


def build_sdist(sdist_directory, config_settings=None):
    """Writes an archive of what git knows here, and returns its name."""
    name = f'forkful-{_version()}'
    files = subprocess.run(['git', '-C', root, 'ls-files', '-z'], check=True, capture_output=True, text=True).stdout
    with tarfile.open(os.path.join(sdist_directory, f'{name}.tar.gz'), 'w:gz') as archive:
        for file in filter(None, files.split('\0')):
            archive.add(os.path.join(root, file), f'{name}/{file}')
        with tempfile.NamedTemporaryFile('w') as about:
            about.write(_metadata())
            about.flush()
            archive.add(about.name, f'{name}/PKG-INFO')
    return f'{name}.tar.gz'
